"""No process ends unasked, and none writes of trouble that no fault explains (`machine/logs.py`)."""

from history import Violation


def check(history):
    return [Violation("deaths", "the run", sentence) for sentence in history.deaths]
