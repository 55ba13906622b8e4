"""Nothing leaks: descriptors, connections and resident memory of every process stay flat over the run.

For each process, the medians of its first and of its last third of samples are compared, those left out that were
taken under a fault or while what it broke reconnects. The thresholds are generous, since bots come and go: a runner
has a few descriptors a bot and Redis a few connections, so both may have more by what the bots in rooms have become
more. Memory may grow by a third and by 10 MB before it counts. Redis' own may grow as the records do.
"""

import statistics

from checkers.patience import MS, RECONNECTION
from history import Violation

# Fewer samples have no thirds to speak of.
MINIMUM_SAMPLES = 9
MORE_DESCRIPTORS = 20
MORE_CONNECTIONS = 10
DESCRIPTORS_PER_BOT = 6
CONNECTIONS_PER_BOT = 4
MEMORY_GROWTH = 1.3
MEMORY_BYTES = 10 * 1024 * 1024


def check(history):
    return list(_violations(history))


def _violations(history):
    processes = {}
    for sample in sorted(history.samples, key=lambda sample: sample.at_ns):
        if not _is_disturbed(history, sample.at_ns):
            processes.setdefault((sample.process, sample.pid), []).append(sample)
    for (name, pid), samples in processes.items():
        if len(samples) >= MINIMUM_SAMPLES:
            third = len(samples) // 3
            for sentence in _growth(history, name, samples[:third], samples[-third:]):
                yield Violation("leaks", f"{name} ({pid})", sentence)


def _growth(history, name, first, last):
    more_bots = max(0, _median(last, lambda sample: _bots(history, sample.at_ns))
                    - _median(first, lambda sample: _bots(history, sample.at_ns)))
    for what, of_sample, allowed in (
            ("descriptors", lambda sample: sample.descriptors, MORE_DESCRIPTORS + DESCRIPTORS_PER_BOT * more_bots),
            ("connections", lambda sample: sample.connections, MORE_CONNECTIONS + CONNECTIONS_PER_BOT * more_bots)):
        before, after = _median(first, of_sample), _median(last, of_sample)
        if after > before + allowed:
            yield f"its {what} grew from {before:g} to {after:g} (median of the first and of the last third)"
    before, after = (_median(samples, lambda sample: sample.resident_bytes) for samples in (first, last))
    if not name.startswith("redis") and after > before * MEMORY_GROWTH and after > before + MEMORY_BYTES:
        yield f"its memory grew from {before / 1e6:.1f} MB to {after / 1e6:.1f} MB"


def _median(samples, of_sample):
    return statistics.median(of_sample(sample) for sample in samples)


def _bots(history, at_ns):
    return sum(stay.first_ns <= at_ns <= stay.last_ns for stay in history.stays)


def _is_disturbed(history, at_ns):
    return any(fault.injected_ns <= at_ns and (fault.healed_ns is None or at_ns <= fault.healed_ns + RECONNECTION * MS)
               for fault in history.faults)
