"""What a well-behaved client gets while one address floods the node, and what that does to the node."""

import dataclasses
import re
import subprocess

from bot_records import workspaces, write_seed
from processes import BenchError, Node, resident_bytes, wait_until

# `processes` has put the system tests' harness on the path.
from harness.flood import KINDS, Flood

SIZE = 1_000
# The well-behaved client's own, over which it asks one request after the other.
CONNECTIONS = 4
DURATION_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclasses.dataclass
class UnderFlood:
    """What the client got, and the node had, with a flood or without."""

    name: str
    opened: int
    rate: float
    # None if no request was answered while it was measured.
    p50_ms: float | None
    p99_ms: float | None
    most_bytes: int


def measure(binary, folder, redis, options, say):
    owner = workspaces(1)[0]
    seed = f"{folder}/floods.resp"
    write_seed(seed, [owner], [])
    measured = []
    for kind in [None, *KINDS]:
        redis.load(seed)
        with Node(binary, folder, redis, options.loops) as node:
            node.wait_ready()
            if kind is None:
                rate, p50, p99 = client(node, owner, options.seconds)
                measured.append(UnderFlood("no flood", 0, rate, p50, p99, resident_bytes(node.pid)))
            else:
                with Flood(kind, node.port, SIZE) as flood:
                    wait_until(lambda: flood.opened >= SIZE, "the flood")
                    rate, p50, p99 = client(node, owner, options.seconds)
                    size = resident_bytes(node.pid)
                    measured.append(UnderFlood(kind.name, flood.opened, rate, p50, p99, size))
        say(f"{measured[-1].name}: {rate:,.0f}/s, p99 {milliseconds(p99)} ms")
    return measured


def client(node, owner, seconds):
    """Asks for the running bots. Returns requests a second, and the 50th and 99th percentile in ms; none is refused."""
    command = [
        "wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--timeout", "10s", "--latency",
        "-H", f"X-API-Key: {owner.key}", f"http://127.0.0.1:{node.port}/bots/status"]
    try:
        output = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=True).stdout
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        raise BenchError(f"wrk failed: {error}") from None
    if "Non-2xx" in output or "Socket errors" in output:
        raise BenchError(f"the well-behaved client was not served: {output}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    return float(rate[1]), percentile(output, 50), percentile(output, 99)


def percentile(output, number):
    found = re.search(rf"^\s+{number}%\s+([\d.]+)(us|ms|s)$", output, re.MULTILINE)
    return float(found[1]) * DURATION_UNITS[found[2]] if found else None


def milliseconds(time_ms):
    return "none" if time_ms is None else f"{time_ms:.2f}"


def rows(measured):
    return [
        ("flood of 1,000 connections from one address", "opened", "client's requests/s", "p50 ms", "p99 ms", "node"),
        *[(entry.name, f"{entry.opened:,}", f"{entry.rate:,.0f}", milliseconds(entry.p50_ms), milliseconds(entry.p99_ms),
           f"{entry.most_bytes / (1 << 20):.1f} MB") for entry in measured],
    ]
