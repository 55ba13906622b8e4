"""Makes small changes to the Swift sources, one at a time, and says which of them no test notices.

All are built at once; which one a process is, its environment says. Exits with 1 if one survives.
"""

import argparse
import collections
import concurrent.futures
import os
import sys
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(FOLDER))

import trial
from build import Build
from catalogue import MUTANTS
from rewrite import VARIABLE

# A supervisor is given no environment, and is to be a mutant like the process that starts it.
HOOKS = ((
    "Sources/Runner/Supervision/SupervisorHandle.swift", "environment: [:],",
    f'environment: getenv("{VARIABLE}").map {{ ["{VARIABLE}": String(cString: $0)] }} ?? [:],'),)

# For all tests that any mutant names.
BASELINE_DEADLINE_S = 3600


def main():
    options = read_options()
    chosen = [(number, mutant) for number, mutant in enumerate(MUTANTS, start=1)
              if not options.only or any(only.lower() in mutant.title.lower() for only in options.only)]
    running = [(number, mutant) for number, mutant in chosen if not mutant.equivalent]
    if options.list or not running:
        for number, mutant in chosen:
            print(f"{number:4}  {mutant.title}{'  (equivalent)' if mutant.equivalent else ''}")
        return 0 if chosen else 2
    began = time.monotonic()
    build = Build(ROOT, os.path.join(ROOT, ".build", "mutate"), MUTANTS, HOOKS)
    say(f"Building {len(MUTANTS)} mutants")
    build.make()
    system_folder = os.path.join(ROOT, "Tests", "system")
    if not options.no_baseline:
        baseline(trial.Trials(build, system_folder, BASELINE_DEADLINE_S), running)
    trials = trial.Trials(build, system_folder, options.deadline)
    survivors = run_all(trials, running, options)
    summarise(chosen, survivors, time.monotonic() - began)
    return 1 if survivors else 0


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", metavar="TEXT",
                        help="only mutants whose file or name has this text; may be given again")
    parser.add_argument("--list", action="store_true", help="show the mutants, and run nothing")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many run at a time")
    parser.add_argument("--deadline", type=float, default=300, metavar="SECONDS",
                        help="after how long a mutant that hangs counts as noticed")
    parser.add_argument("--no-baseline", action="store_true", help="do not try first whether the tests pass at all")
    parser.add_argument("--log", action="store_true", help="show what the tests of each mutant said")
    return parser.parse_args()


def baseline(trials, running):
    """Ends the program if the tests fail without a mutant: then they would tell nothing."""
    say("Without a mutant")
    tests = list(dict.fromkeys(test for _, mutant in running for test in mutant.tests))
    outcome = trials.run(tests)
    if outcome.result != trial.PASSED:
        sys.exit(f"The tests do not pass without a mutant:\n{outcome.log[-8000:]}")
    say(f"  passed in {outcome.seconds:.0f} s")


def run_all(trials, running, options):
    """Returns the numbers of those that survive."""
    survivors = set()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = {pool.submit(trials.run, mutant.tests, number): (number, mutant) for number, mutant in running}
        for future in concurrent.futures.as_completed(futures):
            number, mutant = futures[future]
            outcome = future.result()
            if outcome.result == trial.PASSED:
                survivors.add(number)
            words = {trial.PASSED: "SURVIVED", trial.FAILED: "killed", trial.TIMED_OUT: "killed (time-out)"}
            say(f"{words[outcome.result]:8} {outcome.seconds:4.0f} s  {number:3}  {mutant.title}")
            if options.log:
                say(outcome.log)
    return survivors


def summarise(chosen, survivors, seconds):
    counts = collections.defaultdict(lambda: [0, 0, 0])
    for number, mutant in chosen:
        counts[mutant.module][2 if mutant.equivalent else 1 if number in survivors else 0] += 1
    say(f"\n{'module':14} killed  survived  equivalent")
    for module in sorted(counts):
        killed, survived, equivalent = counts[module]
        say(f"{module:14} {killed:6}  {survived:8}  {equivalent:10}")
    killed, survived, equivalent = (sum(column) for column in zip(*counts.values()))
    say(f"{'all':14} {killed:6}  {survived:8}  {equivalent:10}   in {seconds / 60:.1f} minutes")
    for number, mutant in chosen:
        if number in survivors:
            say(f"Survived: {mutant.title} (number {number}; {', '.join(mutant.tests)})")


def say(text):
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
