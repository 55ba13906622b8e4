"""The faults: each a named value with what it needs, how it is injected and how it is healed."""

from faults import bots, redis, servers

_CLASSES = (
    servers.NodeKill, servers.NodePause, servers.NodeTerminate, servers.RollingRestart,
    servers.RunnerKill, servers.RunnerPause, servers.RunnerTerminate,
    bots.SupervisorKill, bots.SupervisorPause, bots.BotKill, bots.BotPause,
    bots.BotAndSupervisorKill, bots.BotAndSupervisorPause, bots.RunnerAndBotsPause, bots.RunnerTreeKill,
    redis.RedisKill, redis.RedisPause, redis.RedisScriptFlush, redis.RedisClientKillNormal,
    redis.RedisClientKillPubSub, redis.RedisClientPause, redis.RedisFullMemory,
)

FAULTS = {fault.name: fault for fault in _CLASSES}
