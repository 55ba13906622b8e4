"""Waiting for a condition instead of sleeping."""

import time

# Generous, because the machine may be busy with other work; a passing test never waits this long.
DEADLINE_S = 120.0
# Who has waited for long looks less often: each look takes time from what it waits for.
LONGEST_INTERVAL_S = 0.05
SHARE = 0.1


def wait_for(condition, what, deadline_s=DEADLINE_S, interval_s=0.005):
    """Calls `condition` until it returns something true, and returns that.

    `what` completes the sentence "... did not happen", so that a failure says what was waited for.
    """
    begin = time.monotonic()
    while True:
        value = condition()
        if value:
            return value
        waited_s = time.monotonic() - begin
        if waited_s >= deadline_s:
            raise AssertionError(f"{what} did not happen within {deadline_s:g} s")
        time.sleep(max(interval_s, min(LONGEST_INTERVAL_S, SHARE * waited_s)))
