"""Planned meetings: many that are due at one second, and what a quiet tenant gets meanwhile; what it costs to look for those
that are due, however many wait; and what the readings of calendars cost.
"""

import dataclasses
import datetime
import http.server
import multiprocessing
import threading
import time

import neighbours
from bot_records import Workspace, workspaces
from processes import BenchError, Node, RedisConnection, processor_seconds, wait_until
from records import CREATED_AT_MS, PARTITIONS, USER, native_id, resp

DUE, OWNERS = 10_000, 1_000
# How long before they are due all is in place, in seconds.
AHEAD_S = 20
LEAD_MS = 60_000
WAITING = (0, 100_000, 1_000_000)
# Of the millions that wait, in one command.
AT_ONCE = 1_000
FEEDS, EVENTS, PLANNED = 1_000, 500, 20
DAY_MS = 86_400_000


@dataclasses.dataclass
class Due:
    """`lasted_s`: from their second until the last one was sent."""
    lasted_s: float
    alone: neighbours.Waits
    beside: neighbours.Waits
    node_us: float
    redis_us: float


@dataclasses.dataclass
class Sweep:
    waiting: int
    node_ms: float
    redis_ms: float


@dataclasses.dataclass
class Syncs:
    """Of one kind of reading; processor time of each in ms."""
    kind: str
    lasted_s: float
    node_ms: float
    redis_ms: float
    feeds_ms: float


@dataclasses.dataclass
class Plans:
    due: Due
    sweeps: list
    syncs: list


def measure(binary, folder, redis, options, say):
    say("plans: due at one second")
    due = measure_due(binary, folder, redis, options)
    sweeps = []
    for waiting in WAITING:
        say(f"plans: {waiting:,} wait")
        sweeps.append(measure_sweep(binary, folder, redis, options, waiting))
    say("plans: calendars")
    return Plans(due, sweeps, measure_feeds(binary, folder, redis, options))


# Due at one second

def plan(workspace, number, due_ms):
    """What `create_meeting` leaves behind."""
    prefix, meeting, room = workspace.prefix, f"{number:032x}", native_id(number)
    place, time_ms = f"{prefix}:ws:{workspace.id}", str(due_ms + LEAD_MS)
    return "".join([
        resp("SET", f"usher:meeting:{meeting}", workspace.id),
        resp("HSET", f"{prefix}:meeting:{meeting}", "id", meeting, "number", str(number), "workspace_id", workspace.id,
             "status", "INITIAL", "created_at", CREATED_AT_MS, "updated_at", CREATED_AT_MS, "platform", "google_meet",
             "native_meeting_id", room, "meeting_url", f"https://meet.google.com/{room}", "created_by", USER,
             "scheduled_at", time_ms),
        resp("ZADD", f"{place}:meetings", str(number), meeting),
        resp("SET", f"{place}:latest:google_meet:{room}", meeting),
        resp("ZADD", f"{place}:planned:google_meet:{room}", time_ms, meeting),
        resp("ZADD", f"{prefix}:plans", str(due_ms), f"{workspace.id} {meeting}")])


def measure_due(binary, folder, redis, options):
    quiet, *owners = workspaces(OWNERS + 1)
    seed = f"{folder}/plans.resp"
    with open(seed, "w", encoding="ascii", newline="") as commands:
        commands.writelines(owner.commands() for owner in [quiet, *owners])
    redis.load(seed)
    with Node(binary, folder, redis, options.loops) as node, RedisConnection(redis) as connection:
        node.wait_ready()
        alone = neighbours.waits(node, quiet, options.seconds)
        due_ms = (time.time_ns() // 1_000_000_000 + AHEAD_S) * 1_000
        with open(seed, "w", encoding="ascii", newline="") as commands:
            commands.writelines(plan(owners[number % OWNERS], number + 1, due_ms) for number in range(DUE))
        redis.feed(seed)
        if time.time_ns() // 1_000_000 >= due_ms:
            raise BenchError(f"the plans were not in place within {AHEAD_S} s")
        time.sleep(due_ms / 1000 - time.time())
        before = node_and_redis(node, redis)
        found = []
        quiet_one = threading.Thread(target=lambda: found.append(neighbours.waits(node, quiet, options.seconds)))
        quiet_one.start()
        wait_until(lambda: sent(connection) == DUE, f"the sending of {DUE:,} bots", 120)
        lasted = time.time() - due_ms / 1000
        node_s, redis_s = (now - then for now, then in zip(node_and_redis(node, redis), before))
        quiet_one.join()
        node.require_alive()
        return Due(lasted, alone, found[0], node_s * 1e6 / DUE, redis_s * 1e6 / DUE)


def sent(connection):
    return sum(connection.ask("XLEN", f"usher:{{p{number:x}}}:dispatch") for number in PARTITIONS)


def node_and_redis(node, redis):
    return processor_seconds(node.pid), redis.processor_seconds()


# Waiting

def measure_sweep(binary, folder, redis, options, waiting):
    """Processor time a second of a node that has nothing else to do, and of its Redis."""
    seed, far = f"{folder}/waiting.resp", time.time_ns() // 1_000_000 + DAY_MS
    owners = workspaces(OWNERS)
    with open(seed, "w", encoding="ascii", newline="") as commands:
        for first in range(0, waiting, AT_ONCE):
            owner = owners[first // AT_ONCE % OWNERS]
            words = [word for number in range(first, first + AT_ONCE)
                     for word in (str(far + number), f"{owner.id} {number:032x}")]
            commands.write(resp("ZADD", f"{owner.prefix}:plans", *words))
    redis.load(seed)
    with Node(binary, folder, redis, options.loops) as node:
        node.wait_ready()
        time.sleep(2)
        before = node_and_redis(node, redis)
        time.sleep(options.seconds)
        node_s, redis_s = (now - then for now, then in zip(node_and_redis(node, redis), before))
        return Sweep(waiting, node_s * 1e3 / options.seconds, redis_s * 1e3 / options.seconds)


# Calendars

def feed(number, title):
    """A person's calendar: most of it is over, and a few meetings lie ahead. One in fifty events recurs."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0"]
    for index in range(EVENTS):
        start = now + datetime.timedelta(hours=(index + 2) if index < PLANNED else -24 * index)
        lines += ["BEGIN:VEVENT", f"UID:{number}-{index}@example.com", f"DTSTART:{start:%Y%m%dT%H%M%SZ}", "DURATION:PT30M",
                  f"SUMMARY:{title} {index}", f"LOCATION:https://meet.google.com/{native_id(number * EVENTS + index)}",
                  "DESCRIPTION:" + "What is to be talked about. " * 10]
        if index % 50 == 49:
            lines += [f"RRULE:FREQ=WEEKLY;UNTIL={start + datetime.timedelta(days=90):%Y%m%dT%H%M%SZ}"]
        lines += ["END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def serve(sending, wishes):
    """A server of all feeds, in a process of its own: what it serves, and whether it says that nothing has changed, is told
    by `wishes`."""
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = b"" if wishes["unchanged"] else feed(int(self.path[1:]), wishes["title"])
            self.send_response(304 if wishes["unchanged"] else 200)
            self.send_header("ETag", '"1"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    sending.send(server.server_address[1])
    server.serve_forever()


def calendar(owner: Workspace, number, port):
    """What `create_calendar` leaves behind; it is not to be read yet."""
    known, place = f"cal_{number:032x}", f"{owner.prefix}:ws:{owner.id}"
    return "".join([
        resp("HSET", f"{place}:calendar:{known}", "id", known, "user_id", USER, "created_at", CREATED_AT_MS, "enabled", "1",
             "name", "Work", "ics_url", f"http://127.0.0.1:{port}/{number}"),
        resp("ZADD", f"{place}:calendars:{USER}", CREATED_AT_MS, known)])


def measure_feeds(binary, folder, redis, options):
    owners, seed = workspaces(OWNERS), f"{folder}/feeds.resp"
    receiving, sending = multiprocessing.Pipe(duplex=False)
    with multiprocessing.Manager() as manager:
        wishes = manager.dict(title="A meeting", unchanged=False)
        server = multiprocessing.Process(target=serve, args=(sending, wishes), daemon=True)
        server.start()
        port = receiving.recv()
        try:
            with open(seed, "w", encoding="ascii", newline="") as commands:
                commands.writelines(owner.commands() for owner in owners)
                commands.writelines(calendar(owners[number % OWNERS], number, port) for number in range(FEEDS))
            redis.load(seed)
            with Node(binary, folder, redis, options.loops, environment={
                    "USHER_WEBHOOK_ALLOW": "127.0.0.1", "USHER_CALENDAR_SYNC_MS": str(DAY_MS)}) as node:
                node.wait_ready()
                done = [read_all("for the first time", node, redis, folder, owners, server)]
                done.append(read_all("as it was, sent again", node, redis, folder, owners, server))
                wishes["title"] = "Renamed"
                done.append(read_all("all of it renamed", node, redis, folder, owners, server))
                wishes["unchanged"] = True
                done.append(read_all("unchanged (304)", node, redis, folder, owners, server))
                return done
        finally:
            server.kill()
            server.join()


def read_all(kind, node, redis, folder, owners, server):
    """Has every feed be read."""
    with open(f"{folder}/due.resp", "w", encoding="ascii", newline="") as commands:
        for number in range(FEEDS):
            owner = owners[number % OWNERS]
            commands.write(resp("ZADD", f"{owner.prefix}:calendars", "1", f"{owner.id} cal_{number:032x}"))
    begun = time.monotonic()
    before = [*node_and_redis(node, redis), processor_seconds(server.pid)]
    redis.feed(f"{folder}/due.resp")
    # One that is under way is due again when its lease ends, in minutes; one that was read, in about a day.
    later = str(time.time_ns() // 1_000_000 + DAY_MS // 2)
    with RedisConnection(redis) as connection:
        def is_done():
            time.sleep(0.1)
            return FEEDS == sum(
                connection.ask("ZCOUNT", f"usher:{{p{number:x}}}:calendars", later, "+inf") for number in PARTITIONS)
        wait_until(is_done, f"the reading of {FEEDS:,} feeds", 300)
    after = [*node_and_redis(node, redis), processor_seconds(server.pid)]
    return Syncs(kind, time.monotonic() - begun, *((now - then) * 1e3 / FEEDS for now, then in zip(after, before)))


def rows(measured):
    """Three tables."""
    due = measured.due
    yield [
        (f"{DUE:,} plans due at one second, of {OWNERS:,} workspaces", ""),
        ("from then until the last one is sent", f"{due.lasted_s:.2f} s"),
        ("processor time of the node, of Redis, each", f"{due.node_us:.0f} µs, {due.redis_us:.0f} µs"),
        ("another's p99 meanwhile, alone", f"{due.beside.p99_ms:.2f} ms, {due.alone.p99_ms:.2f} ms"),
        ("another's longest wait meanwhile, alone", f"{due.beside.longest_ms:.1f} ms, {due.alone.longest_ms:.1f} ms")]
    yield [("plans that wait", "node ms a second", "Redis ms a second")] + [
        (f"{sweep.waiting:,}", f"{sweep.node_ms:.1f}", f"{sweep.redis_ms:.1f}") for sweep in measured.sweeps]
    yield [(f"{FEEDS:,} feeds of {EVENTS} events, {PLANNED} ahead, read", "all of them, s", "node ms each", "Redis ms each",
            "their server ms each")] + [
        (sync.kind, f"{sync.lasted_s:.1f}", f"{sync.node_ms:.2f}", f"{sync.redis_ms:.2f}", f"{sync.feeds_ms:.2f}")
        for sync in measured.syncs]
