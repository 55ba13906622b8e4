"""One phase of load: who makes it, what came of it, and what the processes paid for it."""

import csv
import dataclasses
import io
import json
import os
import subprocess
import time

from processes import BenchError, machine_busy_seconds, processor_seconds
from records import PARTITIONS

LUA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "requests.lua")


@dataclasses.dataclass
class Phase:
    """What one phase came to. Times a request in microseconds."""

    name: str
    rate: float
    requests: int
    p50_us: float | None
    p99_us: float | None
    p999_us: float | None
    node_us: float
    redis_us: float
    load_us: float
    # Processors that were busy with something else, on average: other work of the machine, or of its host.
    others: float
    load_average: float
    problems: list[str]


class Meter:
    """The processor time of Redis, the node, a load generator and everything else while a phase runs."""

    def __init__(self, node, redis):
        self.node = node
        self.redis = redis

    def run(self, command, timeout_seconds):
        """Runs a load generator to its end. Returns its output."""
        try:
            done = self.measure(
                lambda: subprocess.run(command, capture_output=True, text=True, timeout=timeout_seconds))
        except subprocess.TimeoutExpired:
            raise BenchError(f"{command[0]} did not end within {timeout_seconds} s") from None
        if done.returncode != 0:
            raise BenchError(f"{command[0]} failed: {done.stdout}{done.stderr}")
        return done.stdout

    def measure(self, work):
        """Reads the meters before and after `work`, and returns what that returns."""
        before = self._readings()
        done = work()
        self.wall, self.busy, self.node_seconds, self.redis_seconds, self.load_seconds = (
            end - start for start, end in zip(before, self._readings()))
        return done

    def _readings(self):
        times = os.times()
        return (
            time.monotonic(), machine_busy_seconds(), processor_seconds(self.node.pid),
            self.redis.processor_seconds(), sum(times[:4]))

    def phase(self, name, rate, requests, p50_us, p99_us, p999_us, problems):
        own = self.node_seconds + self.redis_seconds + self.load_seconds
        micros = 1e6 / max(1, requests)
        return Phase(
            name, rate, requests, p50_us, p99_us, p999_us, self.node_seconds * micros, self.redis_seconds * micros,
            self.load_seconds * micros, max(0.0, self.busy - own) / self.wall, os.getloadavg()[0], problems)


def http(name, node, redis, options, path, request_bytes, count, seconds, connections=None):
    """`wrk` sends the requests of a file for some seconds, over and over if there are too few.
    Returns the phase and wrk's own report."""
    meter = Meter(node, redis)
    connections = connections or options.connections
    threads = str(min(options.threads, connections))
    command = [
        "wrk", "-t", threads, "-c", str(connections), "-d", f"{seconds}s", "--timeout", "10s", "-s", LUA,
        f"http://127.0.0.1:{node.port}", "--", path, str(request_bytes), str(count), threads]
    report = json.loads(meter.run(command, seconds + 30).splitlines()[-1])
    problems = []
    if report["refused"]:
        problems.append(f"{name}: {report['refused']} of {report['requests']} requests were refused")
    if report["broken"]:
        problems.append(f"{name}: {report['broken']} connections broke or requests timed out")
    return meter.phase(
        name, report["requests"] / report["seconds"], report["requests"], report["p50_us"], report["p99_us"],
        report["p999_us"], problems), report


def dispatches(name, node, redis, options, requests, path, seconds):
    """Every request must be accepted, and every one that was must have its entry in a stream."""
    phase, report = http(name, node, redis, options, path, requests.request_bytes, requests.count, seconds)
    if report["requests"] > requests.count:
        phase.problems.append(f"{phase.name}: only {requests.count} requests were prepared for {report['requests']}")
    accepted = report["requests"] - report["refused"]
    entries = redis.stream_entries(PARTITIONS)
    # wrk hangs up on the requests that are under way when its time is over.
    if not accepted <= entries <= accepted + options.connections:
        phase.problems.append(f"{phase.name}: {accepted} accepted, but {entries} entries in the streams")
    return phase


def script_alone(node, redis, options, calls, digest, count):
    """`redis-benchmark` calls the dispatch script, each client waiting for its reply before it calls again."""
    meter = Meter(node, redis)
    command = [
        "redis-benchmark", "-s", redis.socket_path, "-c", str(options.connections), "-P", "1", "-n", str(count),
        "-r", str(calls.range), "--csv", *calls.words(digest)]
    rows = list(csv.DictReader(io.StringIO(meter.run(command, 90))))
    if len(rows) != 1:
        raise BenchError(f"redis-benchmark reported {rows}")
    row = rows[0]
    entries = redis.stream_entries(PARTITIONS)
    problems = []
    if entries != count:
        problems.append(f"script alone: {count} calls, but {entries} entries in the stream")
    return meter.phase(
        "dispatch script alone", float(row["rps"]), count, float(row["p50_latency_ms"]) * 1e3,
        float(row["p99_latency_ms"]) * 1e3, None, problems)
