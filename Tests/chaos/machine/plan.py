"""Which faults strike when: drawn from the seed alone, apart from what they happen to find."""

import heapq
import itertools
import time

from faults.fault import NoTarget
from history import FaultRecord, now_ns

# From the end of one fault, or pair, to the beginning of the next.
GAP_S = (0.2, 1.0)
# How often a second fault strikes while the first one lasts.
PAIRS = 0.4
# A target may be there a moment later, such as a bot that runs.
TRIES = 3
RETRY_S = 0.3
# So much longer than it was to take a run goes on at most until enough was seen, on a machine that is busy.
MORE_S = 120.0


class Plan:
    """Every fault as often as the others, but for its weight, in an order of its own; now and then two at once."""

    def __init__(self, random, faults):
        """`faults`: {name: class}."""
        self._random = random
        self._faults = faults
        self._waiting = []

    def draw(self):
        """The classes of the faults that strike together, one or two."""
        first = self._next()
        if len(self._faults) == 1 or self._random.random() >= PAIRS:
            return [first]
        return [first, self._next(other_than=first)]

    def gap_s(self):
        return self._random.uniform(*GAP_S)

    def _next(self, other_than=None):
        if not [name for name in self._waiting if name != other_than]:
            names = [name for name, fault in self._faults.items() for _ in range(getattr(fault, "weight", 1))]
            self._random.shuffle(names)
            self._waiting += names
        name = next(name for name in self._waiting if name != other_than)
        self._waiting.remove(name)
        return name


class Injector:
    """Injects and heals as a plan says, from the machine's main thread."""

    def __init__(self, cluster, random, faults, records, struck):
        """`struck` is called when a fault is about to strike, and when it has."""
        self._cluster = cluster
        self._random = random
        self._faults = faults
        self._plan = Plan(random, faults)
        self._records = records
        self._struck = struck
        self._due = []
        self._order = itertools.count()
        # Faults that found nothing to strike, by name.
        self.missed = []

    def run(self, seconds, is_enough=lambda: True):
        """Returns once the time is over, enough was seen, and every fault is healed."""
        if not self._faults:
            return time.sleep(seconds)
        end = time.monotonic() + seconds
        while time.monotonic() < end or time.monotonic() < end + MORE_S and not is_enough():
            time.sleep(self._plan.gap_s())
            longest = 0.0
            for name in self._plan.draw():
                # The second one strikes at some time while the first one lasts.
                self._work_until(time.monotonic() + self._random.uniform(0, longest))
                longest = self._inject(name)
            self._work_until(None)

    def _inject(self, name):
        """Returns how long the fault lasts, in seconds."""
        fault = self._faults[name]()
        duration_s = fault.duration_ms(self._cluster, self._random) / 1000
        for _ in range(TRIES):
            injected_ns = now_ns()
            self._struck()
            try:
                target, detail = fault.inject(self._cluster, self._random)
                break
            except NoTarget as reason:
                missed = f"{name}: {reason}"
            time.sleep(RETRY_S)
        else:
            self.missed.append(missed)
            return 0.0
        self._struck()
        record = FaultRecord(name, target, injected_ns, detail=detail, struck_ns=fault.struck_ns)
        self._records.append(record)
        heapq.heappush(self._due, (time.monotonic() + duration_s, next(self._order), fault, record))
        return duration_s

    def _work_until(self, at):
        """Heals what is due until then; with None, until all is healed."""
        while self._due and (at is None or self._due[0][0] <= at):
            due, _, fault, record = heapq.heappop(self._due)
            # Faults last for a time and not until something happens.
            time.sleep(max(0.0, due - time.monotonic()))
            fault.heal(self._cluster)
            record.healed_ns = now_ns()
        if at is not None:
            time.sleep(max(0.0, at - time.monotonic()))
