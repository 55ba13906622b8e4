"""The search for an order: Wing and Gong's, with Lowe's memory of the configurations that were tried.

J. M. Wing and C. Gong, Testing and Verifying Concurrent Objects, 1993; G. Lowe, Testing for Linearizability, 2017.

What changes the object is a chain of steps whose order is known; what is searched for is where the requests stand
between them, and which request made which step. Each request and each step has an interval in which it took effect.
"""

import dataclasses
import math
from collections.abc import Callable, Collection


@dataclasses.dataclass(frozen=True)
class Step:
    """A change of the object, which took effect between two times."""
    call: float
    end: float
    # The requests that may have made it; None if it needs no request.
    causes: Collection[int] | None = None


@dataclasses.dataclass(frozen=True)
class Request:
    """An operation that took effect between two times; `end` is infinite if no answer tells."""
    number: int
    call: float
    end: float
    # Whether its answer fits the object after so many steps, if it changed nothing.
    fits: Callable[[int], bool]
    # Whether it must have taken effect: an unknown outcome may also never come to be.
    must: bool = True
    # Requests of unknown outcome and one kind can have caused the same steps.
    kind: str = ""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """`ok`, or `gave up` after so many configurations, or `stuck` with the step or the request that has no place."""
    verdict: str
    step: int | None = None
    request: Request | None = None


def search(steps, requests, maximum_configurations=100_000):
    """Looks for one order of all steps and all requests that must have been."""
    requests = sorted(requests, key=lambda request: (request.call, request.number))
    bits = {request.number: 1 << index for index, request in enumerate(requests)}
    by_number = {request.number: request for request in requests}
    last = {number: index for index, step in enumerate(steps) for number in step.causes or ()}
    seen = set()
    best, blamed = (-1, -1), Outcome("stuck")
    stack = [(0, 0)]
    while stack:
        taken, done = stack.pop()
        done = _take_fitting(steps, requests, bits, last, taken, done)
        if (taken, done) in seen:
            continue
        seen.add((taken, done))
        if len(seen) > maximum_configurations:
            return Outcome("gave up")
        if taken == len(steps) and not any(
                request.must and not done & bits[request.number] for request in requests):
            return Outcome("ok")
        if (taken, done.bit_count()) > best:
            best = (taken, done.bit_count())
            blamed = _blame(steps, requests, bits, taken, done)
        frontier = _frontier(steps, requests, bits, taken, done)
        pending = list(_reachable(requests, bits, done, frontier))
        stack += _next(steps, pending, by_number, bits, taken, done, frontier)
    return blamed


def _frontier(steps, requests, bits, taken, done):
    """What has not taken effect by then is late: nothing that begins afterwards can come before it."""
    ends = [request.end for request in requests if request.must and not done & bits[request.number]]
    if taken < len(steps):
        ends.append(steps[taken].end)
    return min(ends, default=math.inf)


def _reachable(requests, bits, done, frontier):
    for request in requests:
        if request.call > frontier:
            return
        if not done & bits[request.number]:
            yield request


def _take_fitting(steps, requests, bits, last, taken, done):
    """Puts every request in place that changes nothing any more and fits now: none is hindered by that."""
    while True:
        before = done
        for request in _reachable(requests, bits, done, _frontier(steps, requests, bits, taken, done)):
            if request.must and last.get(request.number, -1) < taken and request.fits(taken):
                done |= bits[request.number]
        if done == before:
            return done


def _next(steps, pending, by_number, bits, taken, done, frontier):
    """The configurations one move further; the last is tried first."""
    if taken < len(steps) and steps[taken].call <= frontier:
        step = steps[taken]
        if step.causes is None:
            yield taken + 1, done
        else:
            able = [by_number[number] for number in step.causes if not done & bits[number]]
            for request in reversed(_one_of_a_kind(able)):
                if request.call <= frontier:
                    yield taken + 1, done | bits[request.number]
    for request in pending:
        if request.must and request.fits(taken):
            yield taken, done | bits[request.number]


def _one_of_a_kind(requests):
    """Those that must have been first; of unknown ones the earliest of a kind, which can do what the others can."""
    chosen, kinds = [], set()
    for request in sorted(requests, key=lambda request: (not request.must, request.call, request.number)):
        if request.must or request.kind not in kinds:
            chosen.append(request)
            if not request.must:
                kinds.add(request.kind)
    return chosen


def _blame(steps, requests, bits, taken, done):
    """What stands in the way: the request or the step whose time runs out first."""
    late = min((request for request in requests if request.must and not done & bits[request.number]),
               key=lambda request: request.end, default=None)
    if taken == len(steps) or late is not None and late.end < steps[taken].end:
        return Outcome("stuck", request=late)
    return Outcome("stuck", step=taken)
