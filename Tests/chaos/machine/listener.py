"""Who is told of a workspace's changes, or of all of them, and takes down what it is told."""

import threading
import time

from harness.receiver import Receiver
from harness.waiting import wait_for
from history import Told, now_ns
from machine.places import make_once

# Until nothing waits to be told any more: a delivery of a node that has died waits for the end of its lease.
PATIENCE_S = 80.0
# What an unkind receiver does with the first attempt of an event, once in ten times each; it takes the next one.
LATE_S = 1.0


class Listener:
    def __init__(self, history, random=None, operators=None):
        """With `random` it is unkind: it fails, answers late, or goes without a word. `operators`: the Receiver of what
        nodes tell of all workspaces, by a setting of theirs."""
        self._history = history
        self._random = random
        self._seen = set()
        self._lock = threading.Lock()
        if operators:
            history.operators_told = []
        self._told = history.operators_told if operators else history.told
        self._receiver = operators or Receiver()
        self._receiver.answer = self._take

    def _take(self, delivery):
        body = delivery.json
        told = Told(now_ns(), body["event_id"], body["event_type"], body["data"]["meeting"]["id"], body["sequence"],
                    body["data"].get("status_change", {}).get("new_status"))
        with self._lock:
            self._told.append(told)
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
        make_once(place.user, "/webhooks", "webhooks", {"url": self._receiver.url()}, "url")
        self._history.listeners.append(place.workspace_id)

    def wait_until_known(self, redis):
        """Until nodes have said that there is an operator's endpoint."""
        wait_for(lambda: len(list(redis.scan("usher:{p?}:operator"))) == 16, "the word that there is an endpoint",
                 PATIENCE_S)

    def hear_all(self, redis):
        """Waits until nothing is left to be told, or that has been long enough."""
        def is_all():
            return not any(redis.call("XLEN", key) for key in redis.scan("usher:{p?}:outbox")) and not any(
                list(redis.scan(f"usher:{{p?}}:ws:*:{kind}:due")) for kind in ("webhook:*", "operator"))
        try:
            wait_for(is_all, "the telling of all changes", PATIENCE_S, interval_s=0.1)
        except AssertionError:
            pass  # Told by what is missing.

    def end(self):
        self._receiver.end()
