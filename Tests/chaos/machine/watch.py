"""Sees who is the primary while a run goes on: whatever the faults are, this tells when there was a failover."""

import threading

from history import Failover, now_ns

INTERVAL_S = 0.1


class Watch(threading.Thread):
    """Asks the servers for their roles until it is stopped, notes each replica that has become a primary, and has bots
    follow."""

    def __init__(self, redis, failovers, follower):
        super().__init__(name="watch", daemon=True)
        self._redis = redis
        self._failovers = failovers
        self._follower = follower
        # When each server was last seen to be a replica, and the order in which they became primaries.
        self._replica_ns = {}
        self._rank = {}
        self._stopping = threading.Event()

    def run(self):
        while not self._stopping.wait(INTERVAL_S):
            self.look()

    def end(self):
        self._stopping.set()
        self.join()

    def look(self):
        for server in self._redis.data:
            asked_ns = now_ns()
            role = (self._redis.role(server) or [None])[0]
            if role == "slave":
                self._replica_ns[server.name] = asked_ns
                self._rank.pop(server.name, None)
            elif role == "master" and server.name not in self._rank:
                self._rank[server.name] = asked_ns
                if server.name in self._replica_ns:
                    self._failovers.append(Failover(server.name, self._replica_ns.pop(server.name), now_ns()))
        candidates = [server for server in self._redis.of_bots if server.name in self._rank]
        if candidates:
            self._follower.follow(max(candidates, key=lambda server: self._rank[server.name]).address)
