#!/usr/bin/env python3
"""Measures a node side by side with Redis alone, on this machine, in one run (`make bench`).

Each round has three phases, on a database that is filled anew for each:
- dispatches through HTTP, over 1,000 workspaces, each meeting once;
- the dispatch script alone, called by `redis-benchmark` with as many clients, unpipelined;
- `GET /healthz`.
After the rounds come dispatches on a Redis Cluster beside one Redis (`clusters`), through TLS beside plain TCP
(`encryption`), and the phases of the bots (`bots`,
`launches`): asking for them, asking what runs, transcripts, and the time from an accepted request to the bot's process;
then what a client gets while another one floods the node (`floods`), or while another tenant does its worst
(`neighbours`), or for
the largest answers several times at once (`overlaps`); then planned meetings and calendars (`plans`), webhooks
(`webhooks`), live feeds (`live`), and thousands of running bots (`fleet`).
Whatever was not accepted, or has no entry in a stream, is reported as a problem, and the exit status is then 1.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import bots
import clusters
import encryption
import fleet
import floods
import footprint
import hooks
import launches
import load
import neighbours
import overlaps
import plans
import report
import sides
import viewers
from processes import BenchError, Node, Redis, raise_open_files
from records import DispatchRequests, ScriptCalls, script_digest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WARM_UP_SECONDS = 1
# How many requests are prepared for each second of a phase, lest they run out: so many times the rate of the warm-up,
# in which the machine may have been busy otherwise, and no fewer than a good machine gets through.
RESERVE = 1.5
LEAST_RATE = 30_000
# The file of the requests to /healthz, which are all alike, begins anew after as many.
HEALTH_REQUESTS = 10_000


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--usher", default=f"{ROOT}/.build/release/usher", help="the binary to measure")
    parser.add_argument("--seconds", type=int, default=5, help="how long each phase takes (default: 5; at most 60)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each phase is run (default: 5; at most 50)")
    parser.add_argument("--connections", type=int, default=64, help="clients of each phase (default: 64)")
    parser.add_argument("--threads", type=int, default=2, help="threads of wrk (default: 2)")
    parser.add_argument("--loops", type=int, default=2, help="event loops of the node (default: 2)")
    parser.add_argument("--starts", type=int, default=10, help="starts whose time is measured (default: 10)")
    parser.add_argument("--idle-connections", type=int, default=5000, help="idle connections (default: 5000)")
    parser.add_argument(
        "--aof", choices=["no", "everysec", "always"], default="no", help="Redis' append-only file (default: no)")
    parser.add_argument("--bots-rounds", type=int, default=1, help="how often each phase of bots is run (default: 1)")
    parser.add_argument(
        "--launch-seconds", type=int, default=10, help="for how long 100 bots a second are started (default: 10)")
    parser.add_argument(
        "--only", choices=[
            "speed", "cluster", "encryption", "bots", "launches", "floods", "neighbours", "overlaps", "plans", "webhooks",
            "live", "fleet", "footprint"],
        help="measure this alone")
    parser.add_argument("--markdown", action="store_true", help="write the tables in Markdown")
    options = parser.parse_args(arguments)
    for name, upper in [("seconds", 60), ("rounds", 50), ("connections", 1024), ("threads", 64), ("loops", 256),
                        ("starts", 1000), ("idle_connections", 10_000), ("bots_rounds", 50), ("launch_seconds", 60)]:
        if not 1 <= getattr(options, name) <= upper:
            parser.error(f"--{name.replace('_', '-')} must be from 1 to {upper}")
    return options


def check_tools(options):
    for tool in ["wrk", "redis-server", "redis-cli", "redis-benchmark", "strip"]:
        if not shutil.which(tool):
            raise BenchError(f"{tool} is missing; `make bench` installs what is needed")
    if not os.access(options.usher, os.X_OK):
        raise BenchError(f"{options.usher} is missing; build it with `make`")


def say(text):
    print(text, file=sys.stderr, flush=True)


class Speed:
    """The phases of load, on one node and one Redis."""

    def __init__(self, node, redis, folder, options):
        self.node, self.redis, self.options = node, redis, options
        self.seed, self.requests_path = f"{folder}/http.resp", f"{folder}/http.requests"
        self.script_seed, self.health_path = f"{folder}/script.resp", f"{folder}/health.requests"
        self.digest = script_digest(f"{ROOT}/lua")
        if redis.command("SCRIPT", "EXISTS", self.digest) != "1":
            raise BenchError("the node has loaded another dispatch script than the one in lua/: build it anew")
        with open(self.health_path, "wb") as requests:
            requests.write(footprint.HEALTH * HEALTH_REQUESTS)

    def prepare(self):
        """Finds out about how fast both sides are here, and prepares as much as the phases can use up."""
        warm_up = 40_000 * WARM_UP_SECONDS
        self._write(warm_up)
        http = self.dispatches(WARM_UP_SECONDS)
        self.script_calls = 20_000
        script = self.script_alone()
        self.script_calls = int(script.rate * self.options.seconds)
        self._write(int(max(http.rate * RESERVE, script.rate * RESERVE, LEAST_RATE) * self.options.seconds))

    def _write(self, count):
        self.requests = DispatchRequests(count, self.seed, self.requests_path)
        self.calls = ScriptCalls(count, self.script_seed)

    def dispatches(self, seconds):
        self.redis.load(self.seed)
        return load.dispatches(
            "dispatch through HTTP", self.node, self.redis, self.options, self.requests, self.requests_path, seconds)

    def script_alone(self):
        self.redis.load(self.script_seed)
        return load.script_alone(self.node, self.redis, self.options, self.calls, self.digest, self.script_calls)

    def health(self):
        phase, _ = load.http(
            "GET /healthz", self.node, self.redis, self.options, self.health_path, len(footprint.HEALTH),
            HEALTH_REQUESTS, self.options.seconds)
        return phase

    def run(self):
        """Returns the phases, and for each round the ratio of HTTP to the script alone."""
        self.prepare()
        phases, ratios = [], []
        for number in range(self.options.rounds):
            # Each side goes first in every other round, so that neither gains by its place.
            sides = [lambda: self.dispatches(self.options.seconds), self.script_alone]
            order = [0, 1] if number % 2 == 0 else [1, 0]
            done = {side: sides[side]() for side in order}
            phases += [done[side] for side in order]
            ratios.append(done[0].rate / done[1].rate)
            phases.append(self.health())
            say(f"round {number + 1} of {self.options.rounds}: HTTP {done[0].rate:,.0f}/s, "
                f"script alone {done[1].rate:,.0f}/s, ratio {ratios[-1]:.2f}")
        return phases, ratios


def describe(options):
    version = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=True).stdout.split()
    return (
        f"{os.cpu_count()} processors; Redis {version[2].removeprefix('v=')} on a Unix socket, append-only file: "
        f"{options.aof}; a node with {options.loops} event loops; {options.connections} connections, "
        f"{options.threads} threads of wrk; {options.rounds} rounds of {options.seconds} s a phase.\n"
        "Script alone: redis-benchmark -P 1, every call an accepted dispatch. The key of the lock is also that of the\n"
        "room's holder, so that each call leaves the next one's lock behind: the commands of the script are the same,\n"
        "and none is spent on taking the lock. Through HTTP there are four more commands: key, role, meeting, lock.\n"
        "Cluster: primaries without replicas, beside one Redis; both through TCP, on this machine.\n"
        "µs: processor time a request, or a segment. Others: processors that were busy with anything else.\n"
        f"Bots: each phase {options.bots_rounds} times; GET /bots/status by {bots.STATUS_CONNECTIONS} connections; "
        f"segments in messages of ten, over {bots.SEGMENT_MEETINGS:,} meetings.\n")


def main(arguments):
    options = options_of(arguments)
    # SIGTERM ends the run as Ctrl-C does: through the `with` blocks, which end what was started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    tables, problems = [], []
    with tempfile.TemporaryDirectory(prefix="usher-bench-") as folder:
        check_tools(options)
        raise_open_files()
        with Redis(folder, options.aof) as redis:
            redis.wait_ready()
            if options.only in (None, "speed"):
                with Node(options.usher, folder, redis, options.loops) as node:
                    node.wait_ready()
                    phases, ratios = Speed(node, redis, folder, options).run()
                    problems += [problem for phase in phases for problem in phase.problems]
                tables += [report.phase_rows(phases), report.median_rows(phases), report.ratio_rows(ratios)]
            if options.only in (None, "cluster"):
                compared = clusters.measure(options.usher, folder, options, say)
                problems += compared.problems
                tables += [
                    report.median_rows(compared.phases), clusters.cost_rows(compared),
                    clusters.held_rows(compared)]
            if options.only in (None, "encryption"):
                pair = encryption.measure(options.usher, folder, options, say)
                phases = [phase for side in pair for phase in side.phases]
                problems += [problem for phase in phases for problem in phase.problems]
                tables += [
                    report.median_rows(phases), sides.cost_rows(*pair, "a dispatch through TLS, to one through plain TCP")]
            if options.only in (None, "bots"):
                with Node(options.usher, folder, redis, options.loops) as node:
                    node.wait_ready()
                    done = bots.Bots(node, redis, folder, options).run(say)
                    problems += [problem for phase in done.all for problem in phase.problems]
                tables += [report.phase_rows(done.all), report.status_rows(done.status), report.growth_rows(done)]
            if options.only in (None, "bots", "launches"):
                with Node(options.usher, folder, redis, options.loops) as node:
                    node.wait_ready()
                    say("launches")
                    launched = launches.measure(options.usher, folder, redis, node, options)
                    problems += launched.problems
                tables.append(report.launch_rows(launched))
            if options.only in (None, "floods"):
                tables.append(floods.rows(floods.measure(options.usher, folder, redis, options, say)))
            if options.only in (None, "neighbours"):
                measured = neighbours.measure(options.usher, folder, redis, options, say)
                problems += [problem for entry in measured for problem in entry.problems]
                tables.append(neighbours.rows(measured))
            if options.only in (None, "overlaps"):
                measured = overlaps.measure(options.usher, folder, redis, options, say)
                problems += [problem for entry in measured for problem in entry.problems]
                tables.append(overlaps.rows(measured))
            if options.only in (None, "plans"):
                tables += plans.rows(plans.measure(options.usher, folder, redis, options, say))
            if options.only in (None, "webhooks"):
                tables += hooks.rows(hooks.measure(options.usher, folder, redis, options, say))
            if options.only in (None, "live"):
                tables += viewers.rows(viewers.measure(options.usher, folder, redis, options, say))
            if options.only in (None, "fleet"):
                measured = fleet.measure(options.usher, folder, options, say)
                problems += [problem for entry in measured for problem in entry.problems]
                tables.append(fleet.rows(measured))
            if options.only in (None, "footprint"):
                say("footprint")
                tables.append(report.footprint_rows(footprint.measure(options.usher, folder, redis, options)))
    print(describe(options))
    for rows in tables:
        print(report.table(rows, options.markdown))
    for problem in problems:
        print(f"PROBLEM: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BenchError as error:
        sys.exit(f"bench: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
