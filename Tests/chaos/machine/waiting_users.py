"""Users who want a bot at once when a fault strikes: by them it is measured how long users wait."""

import threading

from history import now_ns
from machine import clients
from machine.places import Place, code

# They ask in workspaces whose limit is never reached, so that nothing but a fault keeps a bot from them.
LEAST_LIMIT = 100
PATIENCE_S = 0.5
PAUSE_S = 0.02
# In turn, so that the bot of the time before does not stand in the way.
ROOMS = 4
# It joins at once, and leaves soon if nobody stops it.
BOT_NAME = "SIMULATE_JOIN_MS=0 SIMULATE_LOBBY_MS=0 SIMULATE_MEETING_MS=500"
NAME = "waiting-user"


def is_one(operation):
    return operation.client.startswith(NAME)


def make(cluster, places, limits, recorder, random):
    """One for each workspace that has room."""
    users = {place.workspace_id: place.user for place in places}
    return [WaitingUser(number, cluster, [Place(user, code(random)) for _ in range(ROOMS)], recorder)
            for number, (workspace_id, user) in enumerate(users.items(), 1) if limits[workspace_id] >= LEAST_LIMIT]


class WaitingUser(threading.Thread):
    """Sleeps until `wake`, then asks one node after the other until one sends a bot."""

    def __init__(self, number, cluster, places, recorder):
        super().__init__(name=f"{NAME}{number}", daemon=True)
        self.places = places
        self._cluster = cluster
        self._recorder = recorder
        self._wanted = threading.Event()
        self._woken_ns = 0
        self._is_over = False
        self._turn = 0
        self.failure = None

    def wake(self):
        self._woken_ns = now_ns()
        self._wanted.set()

    def end(self, deadline_s=30.0):
        self._is_over = True
        self._wanted.set()
        self.join(deadline_s)
        assert not self.is_alive(), f"{self.name} did not end within {deadline_s:g} s"
        if self.failure:
            raise self.failure

    def run(self):
        try:
            while self._wanted.wait() and not self._is_over:
                self._wanted.clear()
                self._ask_until_sent()
        except Exception as failure:  # Raised by `end`, in the machine's main thread.
            self.failure = failure

    def _ask_until_sent(self):
        pause = threading.Event()
        while not self._is_over:
            self._turn += 1
            place = self.places[self._turn % len(self.places)]
            operation = self._send(clients.create_bot(place, BOT_NAME))
            if operation.status in (201, 409):
                self._send(clients.stop(place))
            if operation.status == 201 and operation.sent_ns >= self._woken_ns:
                return
            pause.wait(PAUSE_S)

    def _send(self, call):
        node = self._cluster.nodes[self._turn % len(self._cluster.nodes)]
        return call.send(self._recorder, self.name, node, PATIENCE_S)
