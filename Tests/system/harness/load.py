"""Steady load in the background of a fault."""

import collections
import threading

from harness.waiting import DEADLINE_S, wait_for


class Load:
    """Threads that call `operation(number)` with ever new numbers until `stop`.

    An exception of the operation ends the load, and is raised by `stop`.
    """

    def __init__(self, operation, threads=4):
        self._operation = operation
        self._lock = threading.Lock()
        self._next = 0
        self._stopping = threading.Event()
        self._failure = None
        self.results = collections.deque()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def start(self):
        for thread in self._threads:
            thread.start()
        return self

    def wait_for_more(self, count, what):
        """Waits until `count` more operations have finished."""
        wanted = len(self.results) + count
        wait_for(lambda: self._failure or len(self.results) >= wanted, what)

    def stop(self):
        """Ends the load and returns all results."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(DEADLINE_S)
            assert not thread.is_alive(), f"an operation of the load did not end within {DEADLINE_S:g} s"
        if self._failure:
            raise self._failure
        return list(self.results)

    def _run(self):
        while not self._stopping.is_set():
            with self._lock:
                number, self._next = self._next, self._next + 1
            try:
                self.results.append(self._operation(number))
            except BaseException as failure:
                self._failure = failure
                self._stopping.set()
