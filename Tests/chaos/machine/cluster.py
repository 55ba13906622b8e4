"""The cluster of real processes that a run breaks."""


class Cluster:
    """Everything a fault can reach. Written out by the machine; faults and clients rely on these names.

    redis             RedisServer (Tests/system/harness), durable (appendfsync always)
    nodes             list of Node, 3 or more
    runners           list of Runner, 2 or more
    proxy_of(process) the RESP proxy that lies between that node or runner and Redis (each has its own)
    api_proxy         the TCP proxy between the bots (and runners) and the nodes: what USHER_API_URL names
    bots()            [(bot_id, bot pid, supervisor pid, runner)] of the bot processes that run now
    restart(process)  starts a dead node, runner or Redis again, with its settings
    """
