"""One call beside the test's own thread."""

import threading

from harness.waiting import DEADLINE_S


class InBackground(threading.Thread):
    """One call in a thread of its own; `answer` waits for it."""

    def __init__(self, call):
        super().__init__(daemon=True)
        self._call = call
        self._answer = None
        self.start()

    def run(self):
        self._answer = self._call()

    @property
    def answer(self):
        self.join(DEADLINE_S)
        assert self._answer is not None, f"no answer came within {DEADLINE_S:g} s"
        return self._answer
