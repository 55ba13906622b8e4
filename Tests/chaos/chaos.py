"""Breaks clusters of real processes, one a seed, and checks what they were seen to do.

    python Tests/chaos/chaos.py --seed 1 --minutes 60
"""

import argparse
import concurrent.futures as futures
import dataclasses
import itertools
import json
import logging
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import traceback

CHAOS = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [CHAOS, os.path.join(os.path.dirname(CHAOS), "system")]

from checkers import check_all, losses, presence  # noqa: E402
from faults import FAULTS  # noqa: E402
from harness.node import BINARY  # noqa: E402
from machine import lab_rooms, tables  # noqa: E402
from machine.deployments import KINDS  # noqa: E402
from machine.run import run  # noqa: E402

# Of a run's time: starting, before the faults and after them, and until nothing is left.
AROUND_FAULTS_S = 15
LEAST_FAULTS_S = 5


def main():
    arguments = parse()
    histories, violations, seconds, broken = [], {}, 0.0, 0
    for history, found, took_s in all_runs(arguments):
        if history is None:
            broken += 1
            continue
        histories.append(history)
        violations[history.seed] = found
        seconds += took_s
    print()
    print(tables.text(tables.FAULT_COLUMNS, tables.faults(histories, violations), arguments.markdown))
    print()
    print(tables.text(tables.WAIT_COLUMNS, tables.waits(histories), arguments.markdown))
    print(f"\n{windows(histories)}")
    if arguments.deployment != "standalone":
        print(f"\n{lost(histories)}")
    count = sum(map(len, violations.values()))
    operations = sum(len(history.operations) for history in histories)
    print(f"\n{seconds / 60:.0f} minutes of {len(histories)} seeds, {operations} operations, "
          f"{sum(len(history.stays) for history in histories)} stays in rooms, {count} violations, {broken} runs broken off")
    # Where nobody came there is nothing that could have been wrong.
    is_missed = arguments.attend and not any(lab_rooms.is_one(stay) for history in histories for stay in history.stays)
    if is_missed:
        print("No bot came into a room of the lab.")
    return 1 if count or broken or is_missed else 0


def all_runs(arguments):
    """What `one` returns for each seed, as they end. Each has a process of its own, of which some run at a time."""
    end = time.monotonic() + arguments.minutes * 60
    seeds = itertools.count(arguments.seed)
    spawning = multiprocessing.get_context("spawn")
    with futures.ProcessPoolExecutor(arguments.jobs, spawning, max_tasks_per_child=1) as pool:
        running = {pool.submit(one, next(seeds), arguments) for _ in range(arguments.jobs)}
        while running:
            done, running = futures.wait(running, return_when=futures.FIRST_COMPLETED)
            for run in done:
                if time.monotonic() < end:
                    running.add(pool.submit(one, next(seeds), arguments))
                yield run.result()


def windows(histories):
    """A sentence about the one window that leases cannot close."""
    found = [window for history in histories for window in presence.windows(history)]
    if not found:
        return "No frozen bot was in a room that was another's already."
    writes = sum(window.writes for window in found)
    return (f"{len(found)} times a bot was frozen with its supervisor in a room that was another's already, for "
            f"{max(window.milliseconds for window in found):.0f} ms at most; thawed, they wrote {writes} lines in all, "
            f"none of them more than {max(window.writes for window in found)}.")


def lost(histories):
    """A sentence about what failovers were seen to lose."""
    found = sum(map(losses.measured, histories), losses.NONE)
    overlaps = sorted(found.overlaps_ms)
    longest = f", for {overlaps[-1]:.0f} ms at most" if overlaps else ""
    return (f"{found.failovers} failovers. Of what was acknowledged around them they lost {found.dispatches} of "
            f"{found.of_dispatches} dispatches, {found.stops} of {found.of_stops} stops, and {found.segments} of "
            f"{found.of_segments} segments that bots wrote into the stream; {found.unlocated} meetings are not found "
            f"by their number; {len(overlaps)} times two bots, or one bot "
            f"twice, were in a room at once{longest}.")


def parse():
    parser = argparse.ArgumentParser(description="Breaks clusters of real processes, and checks what they do.")
    parser.add_argument("--seed", type=int, default=1, help="the first; each run has one more")
    parser.add_argument("--minutes", type=float, default=1, help="no run begins after this time; one always does")
    parser.add_argument("--jobs", type=int, default=1, help="how many clusters are broken at a time")
    parser.add_argument("--seconds-per-seed", type=float, default=45, help="about how long a run takes in all")
    parser.add_argument("--faults", type=names, default=None, help="names joined by commas; all by default")
    parser.add_argument("--deployment", choices=("standalone", *KINDS), default="standalone", help="the kind of Redis")
    parser.add_argument("--wait-replicas", type=int, default=0, metavar="N",
                        help="on how many replicas what is acknowledged is to be (--redis-wait-replicas)")
    parser.add_argument("--tls", action="store_true", help="Redis' servers speak TLS alone; not of a single one")
    parser.add_argument("--attend", type=int, default=0, metavar="N",
                        help="beside the rooms of simulated bots, so many rooms of a lab, in which bots attend in browsers")
    parser.add_argument("--binary", default=BINARY, help="the usher that is broken")
    parser.add_argument("--beside", default=None, metavar="BINARY",
                        help="what every second node and runner is, such as the version before")
    parser.add_argument("--markdown", action="store_true", help="the tables as Markdown")
    parser.add_argument("--keep", metavar="DIR", help="where runs with violations leave logs, data and history")
    arguments = parser.parse_args()
    if arguments.tls and arguments.deployment == "standalone":
        parser.error("--tls goes with --deployment sentinel or cluster: a single Redis is reached through a proxy that reads")
    return arguments


def names(text):
    unknown = [name for name in text.split(",") if name and name not in FAULTS]
    if unknown:
        raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; there are {', '.join(FAULTS)}")
    return [name for name in text.split(",") if name]


def one(seed, arguments):
    """Runs one seed and prints its line. Returns its history, its violations, and how many seconds it took; no
    history if it was broken off."""
    # It warns of writing to a connection that is gone, which is what many faults are about.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    folder = tempfile.mkdtemp(prefix="usher-chaos-")
    begun = time.monotonic()
    took = lambda: time.monotonic() - begun
    seconds = max(LEAST_FAULTS_S, arguments.seconds_per_seed - AROUND_FAULTS_S)
    try:
        history = run(seed, seconds, arguments.binary, arguments.faults, folder, arguments.deployment,
                      arguments.wait_replicas, arguments.beside, arguments.tls, arguments.attend)
    except Exception:
        print(f"seed {seed}: broken off; what it left: {folder}\n{traceback.format_exc()}", file=sys.stderr, flush=True)
        return None, [], took()
    found = check_all(history)
    inside = f" ({sum(map(lab_rooms.is_one, history.stays))} in the lab)" if arguments.attend else ""
    print(f"seed {seed}: {len(history.faults)} faults, {len(history.operations)} operations, "
          f"{len(history.stays)} stays{inside}, agreed after {history.settings['agreed_after']} ms, empty after "
          f"{history.settings['emptied_after']} ms, {took():.0f} s, {len(found)} violations",
          flush=True)
    if found:
        tell(seed, arguments, history, found, keep(folder, history, arguments.keep))
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return history, found, took()


def keep(folder, history, where):
    """Leaves the history beside the logs, and returns the folder with all of it."""
    with open(os.path.join(folder, "history.json"), "w") as file:
        json.dump(dataclasses.asdict(history), file, indent=1)
    if where is None:
        return folder
    os.makedirs(where, exist_ok=True)
    return shutil.move(folder, os.path.join(where, f"seed-{history.seed}-{os.path.basename(folder)}"))


def tell(seed, arguments, history, found, folder):
    for violation in found:
        print(f"  {violation}")
    for sentence in history.missed:
        print(f"  not injected: {sentence}")
    print(f"  logs and history: {folder}")
    options = f" --faults {','.join(arguments.faults)}" if arguments.faults is not None else ""
    if arguments.deployment != "standalone":
        options += f" --deployment {arguments.deployment} --wait-replicas {arguments.wait_replicas}"
    if arguments.tls:
        options += " --tls"
    if arguments.attend:
        options += f" --attend {arguments.attend}"
    if arguments.beside:
        options += f" --beside {arguments.beside}"
    print(f"  again: USHER={arguments.binary} {sys.executable} {os.path.relpath(__file__)} --seed {seed} "
          f"--minutes 0 --seconds-per-seed {arguments.seconds_per_seed:g}{options}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
