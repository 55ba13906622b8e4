"""Waiting for a condition instead of sleeping."""

import time

# Generous, because the machine may be busy with other work; a passing test never waits this long.
DEADLINE_S = 120.0


def wait_for(condition, what, deadline_s=DEADLINE_S, interval_s=0.005):
    """Calls `condition` until it returns something true, and returns that.

    `what` completes the sentence "... did not happen", so that a failure says what was waited for.
    """
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"{what} did not happen within {deadline_s:g} s")
        time.sleep(interval_s)
