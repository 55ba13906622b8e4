"""Processes that others started: bots and supervisors, which may end and leave their ids to strangers at any time."""

import os
import signal

from faults.fault import NoTarget


class Handles:
    """Some processes by file descriptors, so that no signal ever reaches another process of the same id."""

    def __init__(self, pids, what):
        """Those that have ended are left out; `what` names them all if none is left."""
        self._descriptors = {}
        for pid in pids:
            try:
                self._descriptors[pid] = os.pidfd_open(pid)
            except ProcessLookupError:
                pass  # It ended by itself in between.
        if not self._descriptors:
            raise NoTarget(f"{what}: ended meanwhile")

    @property
    def pids(self):
        return list(self._descriptors)

    def signal(self, number):
        """To each that has not ended, in the order that they were given in."""
        for descriptor in self._descriptors.values():
            try:
                signal.pidfd_send_signal(descriptor, number)
            except ProcessLookupError:
                pass  # It has ended.

    def close(self):
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors = {}
