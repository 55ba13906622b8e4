"""What is made of rules that recur, beside what others' libraries make of them."""

import json
import os
import random
import subprocess

import pytest

from harness import calendar_rules
from harness.node import BINARY

# More by hand: `USHER_TEST_RULES=10000`.
FEEDS = int(os.environ.get("USHER_TEST_RULES", 300)) // 10


def check(path, now):
    command = [BINARY, "calendars", "check", path, "--now", now.isoformat(), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize("seed", range(FEEDS))
def test_a_rule_recurs_as_it_does_for_others(tmp_path, seed):
    rng = random.Random(seed)
    now = rng.choice(calendar_rules.TIMES)
    text = calendar_rules.feed(rng, now, events=10)
    path = tmp_path / "feed.ics"
    path.write_bytes(text.encode())
    report = check(path, now)
    # One that was moved may be where another one is.
    ours = sorted({f"{found['start']} {found['uid']}" for found in report["occurrences"]})
    theirs = sorted(calendar_rules.occurrences(text, now))
    assert "unreadable" not in report["skipped"], report["problem"]
    if report["has_more"]:
        assert len(report["occurrences"]) == 500
        theirs = theirs[: len(ours)]
    assert ours == theirs, f"seed {seed}, now {now}, of\n{text}"
