"""The checker of leaks on histories written by hand."""

import pytest

from checkers import leaks
from hand_written import MS, Written, sentences
from history import Sample

MB = 1024 * 1024


@pytest.fixture
def written():
    return Written()


def samples(written, of_second, name="node1", pid=1, seconds=30):
    """One a second: `of_second` gives descriptors, connections and megabytes."""
    for second in range(seconds):
        descriptors, connections, megabytes = of_second(second)
        written.history.samples.append(Sample(
            second * 1000 * MS, name, pid, descriptors, megabytes * MB, connections))


def found(written):
    return leaks.check(written.history)


# Good.

def test_flat(written):
    samples(written, lambda second: (30 + second % 7, 4 + second % 2, 50 + second % 5))
    assert found(written) == []


def test_a_burst_that_passes(written):
    samples(written, lambda second: (300 if second in (3, 15, 25) else 30, 4, 50))
    assert found(written) == []


def test_growth_under_faults(written):
    written.fault("redis-pause", 10_000, 30_000)
    samples(written, lambda second: (30 if second < 10 else 200, 4, 50))
    assert found(written) == []


def test_bots_need_descriptors(written):
    samples(written, lambda second: (30 + 4 * second, 4, 50), name="runner1")
    for number in range(30):
        written.stay(f"b{number}", 1000 * number, 40_000, room=f"room{number}")
    assert found(written) == []


def test_the_records_of_redis_grow(written):
    samples(written, lambda second: (30, 40, 10 + 2 * second), name="redis")
    assert found(written) == []


def test_a_process_that_was_restarted_is_another_one(written):
    samples(written, lambda second: (30, 4, 50), pid=1)
    samples(written, lambda second: (130, 40, 150), pid=2)
    assert found(written) == []


def test_too_few_samples(written):
    samples(written, lambda second: (30 * second, 4, 50), seconds=8)
    assert found(written) == []


# Bad.

def test_descriptors(written):
    samples(written, lambda second: (30 + 3 * second, 4, 50))
    assert "its descriptors grew from" in sentences(found(written))


def test_connections(written):
    samples(written, lambda second: (30, 4 + second, 50))
    assert "its connections grew from" in sentences(found(written))


def test_memory(written):
    samples(written, lambda second: (30, 4, 50 + 2 * second))
    assert "its memory grew from" in sentences(found(written))


def test_more_descriptors_than_the_bots_need(written):
    samples(written, lambda second: (30 + 15 * second, 4, 50), name="runner1")
    for number in range(10):
        written.stay(f"b{number}", 3000 * number, 40_000, room=f"room{number}")
    assert len(found(written)) == 1


def test_descriptors_and_memory_through_a_fault(written):
    written.fault("node-pause", 12_000, 13_000)
    samples(written, lambda second: (30 + 3 * second, 4, 50 + 3 * second))
    assert len(found(written)) == 2
