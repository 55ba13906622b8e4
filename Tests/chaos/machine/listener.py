"""Who is told of a workspace's changes, and takes down what it is told."""

import threading
import time

from harness.receiver import Receiver
from harness.waiting import wait_for
from history import Told, now_ns

# Until nothing waits to be told any more: a delivery of a node that has died waits for the end of its lease.
PATIENCE_S = 80.0
# What an unkind receiver does with the first attempt of an event, once in ten times each; it takes the next one.
LATE_S = 1.0


class Listener:
    def __init__(self, history, random=None):
        """With `random` it is unkind: it fails, answers late, or goes without a word."""
        self._history = history
        self._random = random
        self._seen = set()
        self._lock = threading.Lock()
        self._receiver = Receiver(self._take)

    def _take(self, delivery):
        body = delivery.json
        told = Told(now_ns(), body["event_id"], body["event_type"], body["data"]["meeting"]["id"], body["sequence"],
                    body["data"].get("status_change", {}).get("new_status"))
        with self._lock:
            self._history.told.append(told)
            is_first = told.event_id not in self._seen
            self._seen.add(told.event_id)
            mood = self._random.random() if self._random and is_first else 1.0
        if mood < 0.1:
            return 503, {}, b""
        if mood < 0.2:
            raise ConnectionAbortedError("the receiver goes")
        if mood < 0.3:
            time.sleep(LATE_S)
        return 200, {}, b""

    def listen(self, place):
        """From now on, to what becomes of the meetings of a place's workspace."""
        answer = place.user.request("POST", "/webhooks", {"url": self._receiver.url()})
        assert answer.status == 201, answer
        self._history.listeners.append(place.workspace_id)

    def hear_all(self, redis):
        """Waits until nothing is left to be told, or that has been long enough."""
        def is_all():
            return not any(redis.call("XLEN", key) for key in redis.scan("usher:{p?}:outbox")) and not list(
                redis.scan("usher:{p?}:ws:*:webhook:*:due"))
        try:
            wait_for(is_all, "the telling of all changes", PATIENCE_S, interval_s=0.1)
        except AssertionError:
            pass  # Told by what is missing.

    def end(self):
        self._receiver.end()
