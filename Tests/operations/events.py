"""Things that happen to a fleet in the middle of a load, and what its users see of them."""

import collections
import dataclasses
import random
import threading
import time

from fleet import Fleet
from harness.bots_user import BotsUser
from harness.http_client import Connection
from harness.load import Load
from harness.workspace import random_meet_code

EVENTS = {
    "rolling restart of three nodes": Fleet.restart_nodes,
    "a node killed": Fleet.kill_a_node,
    "Redis restarted": Fleet.restart_redis,
    "two nodes added": Fleet.add_nodes,
}


@dataclasses.dataclass
class Outcome:
    """What came of a load. Waits in seconds."""

    event: str
    requests: int
    failures: collections.Counter
    longest_s: float
    median_s: float

    def row(self):
        failed = sum(self.failures.values())
        kinds = ", ".join(f"{count} {kind}" for kind, count in self.failures.most_common())
        return (self.event, f"{self.requests:,}", f"{failed} ({kinds})" if kinds else "0",
                f"{self.longest_s * 1000:,.0f}", f"{self.median_s * 1000:.1f}")


HEADINGS = ("while", "requests", "failures", "longest wait, ms", "median, ms")


class Users:
    """Each thread is a user with a keep-alive connection, who sends a bot, looks at the list, and stops the bot."""

    def __init__(self, port, users):
        self._port = port
        self._users = users
        self._own = threading.local()

    def __call__(self, number):
        """(seconds, what failed or None) of each of its requests."""
        user = self._users[number % len(self._users)]
        code = random_meet_code()
        room = {"platform": "google_meet", "native_meeting_id": code}
        sent = self._ask(201, user.bytes("POST", "/bots", room))
        results = [sent, self._ask(200, user.bytes("GET", "/bots?limit=1"))]
        if sent[1] is None:
            results.append(self._ask(202, user.bytes("DELETE", f"/bots/google_meet/{code}")))
        return results

    def _ask(self, wanted, request):
        started = time.monotonic()
        try:
            if getattr(self._own, "connection", None) is None:
                self._own.connection = Connection(self._port)
            self._own.connection.send(request)
            answer = self._own.connection.receive()
            failure = None if answer and answer.status == wanted else f"{answer.status if answer else 'no answer'}"
            if answer is None or answer.header("Connection") == "close":
                self._hang_up()
        except OSError as error:
            failure = type(error).__name__
            self._hang_up()
        if failure:
            # As a user would: not at once, and not all together.
            time.sleep(random.uniform(0.01, 0.05))
        return time.monotonic() - started, failure

    def _hang_up(self):
        if getattr(self._own, "connection", None) is not None:
            self._own.connection.close()
        self._own.connection = None


def observe(name, seconds, threads):
    """The load of a new fleet for some seconds, in whose middle the event happens."""
    with Fleet() as fleet:
        users = [BotsUser(fleet.admin, max_concurrent_bots=100_000) for _ in range(8)]
        started = time.monotonic()
        load = Load(Users(fleet.balancer.port, users), threads=threads).start()
        load.wait_for_more(10 * threads, "the load before the event")
        EVENTS[name](fleet)
        load.wait_for_more(10 * threads, "the load after the event")
        # The rest of the time, so that what comes late is seen as well.
        while time.monotonic() < started + seconds:
            load.wait_for_more(1, "the load")
        results = [result for results in load.stop() for result in results]
    waits = sorted(wait for wait, _ in results)
    failures = collections.Counter(failure for _, failure in results if failure)
    return Outcome(name, len(results), failures, waits[-1], waits[len(waits) // 2])
