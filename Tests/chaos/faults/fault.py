"""What a fault is."""


class NoTarget(Exception):
    """There is nothing at the moment that the fault could strike; nothing was done, and there is nothing to heal."""


class Fault:
    """A fault of one kind. A new object for each injection; `inject` and `heal` are called once each, in this order.

    Both are called from the machine's main thread, and must return soon (a wait for a border has a bound of its own).
    `duration_ms` is called before `inject`, as some faults are told to Redis together with their end.
    """

    # Such as node-kill, redis-cut-after-execution: what the tables and the command line name.
    name = ""
    # The kinds of Redis that it can strike: see machine/cluster.py.
    deployments = ("standalone", "sentinel", "cluster")
    # How often it is drawn, beside the others.
    weight = 1
    # The programs that it needs beside those of the system tests, by the names that PATH has them under.
    needs = ()
    # How long it lasts, in ms, from and to: the machine draws one. (0, 0) for what heals itself at once.
    lasts_ms = (0, 0)
    # When it took hold, by `history.now_ns`, if `inject` had to wait for that.
    struck_ns = None

    @classmethod
    def is_available(cls, cluster):
        """Whether it can be injected into this cluster, at the right time."""
        return cluster.deployment in cls.deployments

    def duration_ms(self, cluster, random):
        """How long this one is to last, in ms, given the timeouts of the cluster."""
        return random.randint(*self.lasts_ms)

    def inject(self, cluster, random):
        """Does it. Returns (target, detail): the name of the process or the proxy, and what there is to say.

        Raises NoTarget if there is nothing to strike.
        """
        raise NotImplementedError

    def heal(self, cluster):
        """Takes it back, so that the cluster is whole again, whatever has become of the target meanwhile."""
