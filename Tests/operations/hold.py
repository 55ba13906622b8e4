"""A load that is held for a long time: whether memory, descriptors and latency stay as they are."""

import json
import os
import statistics
import subprocess
import time

from fleet import Fleet, descriptors, resident_bytes
from harness.http_client import request_bytes
from harness.keys import WorkspaceKeys

PACED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "paced.lua")
WORKSPACES, MEETINGS = 8, 2000
# How many meetings later a bot that was sent is told to stop. More than are ever under way at once.
STOP_AFTER = 500
TOP_SECONDS, MINUTE_SECONDS = 20, 60
# The entries of the dispatch streams that are kept: nobody reads them here.
KEPT_DISPATCHES = 1000
# How far the last quarter may be from the first full quarter, which holds the caches' filling.
ALLOWED_GROWTH = 1.10

HEADINGS = ("minute", "a second", "refused", "broken", "p50 ms", "p99 ms", "max ms", "nodes' MiB", "descriptors",
            "HAProxy MiB", "Redis MiB", "Redis keys")


class Requests:
    """A file of requests, each padded to the same length: a bot is sent to a meeting (again), its record is read, and
    an earlier meeting's bot is stopped."""

    def __init__(self, fleet):
        workspaces = [fleet.admin.create_workspace() for _ in range(WORKSPACES)]
        self.streams = {WorkspaceKeys(workspace.id).dispatch for workspace in workspaces}
        keys = [fleet.admin.create_key(workspace.id, workspace.owner["id"], ("seameet", "bots"))["key"]
                for workspace in workspaces]
        meetings = []
        for number in range(MEETINGS):
            workspace, key = workspaces[number % WORKSPACES], keys[number % WORKSPACES]
            meetings.append((workspace, key, workspace.create_meeting()))
        texts = []
        for number, (workspace, key, meeting) in enumerate(meetings):
            headers = {"X-API-Key": key}
            texts.append(request_bytes("POST", workspace.reinvite_path(meeting), {"force_restart": True}, headers))
            texts.append(request_bytes("GET", f"{workspace.meetings_path}/{meeting.id}", headers=headers))
            _, key, meeting = meetings[number - STOP_AFTER]
            record = meeting.record
            texts.append(request_bytes(
                "DELETE", f"/bots/{record['platform']}/{record['native_meeting_id']}", headers={"X-API-Key": key}))
        self.count = len(texts)
        self.bytes = max(map(len, texts)) + len("X-Padding: \r\n")
        self.path = os.path.join(fleet.folder, "requests")
        with open(self.path, "wb") as file:
            for text in texts:
                head, _, rest = text.partition(b"\r\n")
                padding = b"x" * (self.bytes - len(text) - len(b"X-Padding: \r\n"))
                file.write(head + b"\r\nX-Padding: " + padding + b"\r\n" + rest)


class Load:
    """Runs of wrk, each of which goes on where the one before has ended."""

    def __init__(self, fleet, requests, connections):
        self._fleet, self._requests, self._connections = fleet, requests, connections
        self._next = 0

    def run(self, seconds, pause_ms):
        command = [
            "wrk", "-t", "1", "-c", str(self._connections), "-d", f"{seconds}s", "--timeout", "10s", "-s", PACED,
            f"http://127.0.0.1:{self._fleet.balancer.port}", "--", self._requests.path, str(self._requests.bytes),
            str(self._next), str(pause_ms)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=True)
        report = json.loads(done.stdout.splitlines()[-1])
        # Those that wrk hung up on were sent too.
        self._next = (self._next + report["requests"] + self._connections) % self._requests.count
        report["rate"] = report["requests"] / report["seconds"]
        return report


def sample(fleet):
    return {
        "nodes": sum(resident_bytes(node.pid) for node in fleet.nodes if node.alive),
        "descriptors": sum(descriptors(node.pid) for node in fleet.nodes if node.alive),
        "balancer": resident_bytes(fleet.balancer.pid), "redis": resident_bytes(fleet.redis.pid),
        "keys": fleet.redis.client.call("DBSIZE"),
    }


def row(minute, report, found):
    return (
        str(minute), f"{report['rate']:,.0f}", str(report["refused"]), str(report["broken"]),
        *(f"{report[name] / 1000:.2f}" for name in ("p50_us", "p99_us", "max_us")),
        f"{found['nodes'] / 2**20:.1f}", str(found["descriptors"]), f"{found['balancer'] / 2**20:.1f}",
        f"{found['redis'] / 2**20:.1f}", f"{found['keys']:,}")


def run(minutes, connections, table):
    """Prints a row a minute, and what the last quarter is like beside the second. Returns the exit code."""
    with Fleet(spare=0) as fleet:
        requests = Requests(fleet)
        load = Load(fleet, requests, connections)
        load.run(5, 0)
        top = load.run(TOP_SECONDS, 0)
        print(f"Top load: {top['rate']:,.0f} requests a second, p50 {top['p50_us'] / 1000:.1f} ms, "
              f"p99 {top['p99_us'] / 1000:.1f} ms; half of it is held for {minutes} minutes", flush=True)
        pause_ms = max(1, round(connections / (top["rate"] / 2) * 1000 - top["p50_us"] / 2000))
        reports, samples = [], []
        print(" | ".join(HEADINGS), flush=True)
        for minute in range(1, minutes + 1):
            started = time.monotonic()
            report = load.run(MINUTE_SECONDS - 1, pause_ms)
            for stream in requests.streams:
                fleet.redis.client.call("XTRIM", stream, "MAXLEN", KEPT_DISPATCHES)
            # While connections are still there: HAProxy keeps those to the nodes for a while.
            found = sample(fleet)
            reports.append(report)
            samples.append(found)
            print(" | ".join(row(minute, report, found)), flush=True)
            # Nearer to half, since latency differs from that of the top.
            pause_ms = max(1, round(pause_ms * report["rate"] / (top["rate"] / 2)))
            time.sleep(max(0.0, MINUTE_SECONDS - (time.monotonic() - started)))
        for node in fleet.nodes:
            assert node.alive, node.log
    print("\n" + table(HEADINGS, [row(number, report, found)
                                  for number, (report, found) in enumerate(zip(reports, samples), 1)]))
    return verdict(reports, samples)


def verdict(reports, samples):
    """What grew between the second quarter of the time and the last. 0 if nothing did."""
    quarter = max(1, len(reports) // 4)
    early, late = slice(quarter, 2 * quarter) if len(reports) >= 4 else slice(0, 1), slice(-quarter, None)
    grown = []
    for name, values in [
            ("memory of the nodes", [found["nodes"] for found in samples]),
            ("descriptors of the nodes", [found["descriptors"] for found in samples]),
            ("median latency", [report["p50_us"] for report in reports])]:
        before, after = statistics.median(values[early]), statistics.median(values[late])
        print(f"{name}: {after / before:.3f} times what it was")
        if after > before * ALLOWED_GROWTH:
            grown.append(name)
    broken = sum(report["broken"] for report in reports)
    if grown or broken:
        print(f"PROBLEM: grown: {', '.join(grown) or 'nothing'}; broken requests: {broken}")
    return 1 if grown or broken else 0
