"""What a fault is."""


class Fault:
    """A fault of one kind. A new object for each injection; `inject` and `heal` are called once each, in this order.

    Both are called from the machine's main thread, and must return soon (a wait for a border has a bound of its own).
    """

    # Such as node-kill, redis-cut-after-execution: what the tables and the command line name.
    name = ""
    # What the cluster must have for it: "clock" (the node was started with a wrong clock), "replica", ... or nothing.
    needs = ()
    # How long it lasts, in ms, from and to: the machine draws one. (0, 0) for what heals itself at once.
    lasts_ms = (0, 0)

    def inject(self, cluster, random):
        """Does it. Returns (target, detail): the name of the process or the proxy, and what there is to say."""
        raise NotImplementedError

    def heal(self, cluster):
        """Takes it back, so that the cluster is whole again."""
