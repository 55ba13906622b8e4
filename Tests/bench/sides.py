"""Dispatches through one Redis beside those through another, on this machine: what the difference costs."""

import contextlib
import dataclasses
import os
import statistics

import load
from processes import Node
from records import DispatchRequests

REQUESTS_A_SECOND = 20_000


@dataclasses.dataclass
class Side:
    """A Redis, what its node is told besides, and the phases that were measured."""

    name: str
    redis: object
    environment: dict = dataclasses.field(default_factory=dict)
    phases: list = dataclasses.field(default_factory=list)


def measure(sides, binary, folder, options, say):
    """Runs the rounds, in each of which every side has a phase, and fills in their phases."""
    os.makedirs(folder)
    seed, requests_path = f"{folder}/seed.resp", f"{folder}/requests"
    requests = DispatchRequests(REQUESTS_A_SECOND * options.seconds, seed, requests_path)
    with contextlib.ExitStack() as stack:
        nodes = []
        for number, side in enumerate(sides):
            os.makedirs(f"{folder}/{number}")
            node = stack.enter_context(
                Node(binary, f"{folder}/{number}", side.redis, options.loops, environment=side.environment))
            node.wait_ready()
            nodes.append(node)
        pairs = list(zip(sides, nodes))
        for number in range(options.rounds):
            # Each goes first in every other round, so that none gains by its place.
            for side, node in pairs if number % 2 == 0 else reversed(pairs):
                side.redis.load(seed)
                side.phases.append(load.dispatches(
                    side.name, node, side.redis, options, requests, requests_path, options.seconds))
            say(f"round {number + 1} of {options.rounds}: node, "
                + ", ".join(f"{side.phases[-1].node_us:.1f} µs ({side.name})" for side in sides))


def cost_rows(first, second, title):
    """The second side's share of each cost, round by round: other work on the machine disturbs both sides of a round."""
    rows = [(title, "median", "least", "most")]
    for name, cost in [
        ("processor time of the node", lambda phase: phase.node_us),
        ("processor time of the node and all of Redis", lambda phase: phase.node_us + phase.redis_us),
        ("p50", lambda phase: phase.p50_us),
    ]:
        ratios = [cost(other) / cost(one) for one, other in zip(first.phases, second.phases)]
        rows.append((name, *(f"{figure:.2f}" for figure in (statistics.median(ratios), min(ratios), max(ratios)))))
    return rows
