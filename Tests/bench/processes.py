"""The processes that a run starts, and what they cost: a Redis, a node, and the generators of load."""

import os
import resource
import signal
import socket
import subprocess
import sys
import time

from records import resp

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
from harness.ports import free_port  # noqa: E402

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
ADMIN_KEY = "an-admin-key-of-the-bench"


class BenchError(Exception):
    """Why a run could not be made, in a sentence for the person who started it."""


def raise_open_files():
    """Lets this process and its children have as many descriptors as the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def processor_seconds(pid):
    """User and system time that a process has used since it began, with all its threads."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        # The name, in parentheses, may have spaces; what follows it has not.
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def machine_busy_seconds():
    """Processor time that the machine has spent on anything, or that its host has taken away."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _, _, irq, softirq, steal = map(int, stat.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / TICKS_A_SECOND


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * PAGE_BYTES


def peak_bytes(pid):
    """The most that the process has had in memory since it began."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def wait_until(condition, what, seconds=20):
    """Asks again and again until `condition` gives something. Raises `BenchError` naming `what` never happened."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.005)
    raise BenchError(f"{what} did not happen within {seconds} s")


class Child:
    """A process with its own log file, which does not outlive the `with` block that it is started for.

    Where its log is not read, it goes into a pipe that is soon full."""

    def __init__(self, command, log_path, environment=None, reads_log=True):
        self.log_path = log_path
        with open(log_path, "wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log if reads_log else subprocess.PIPE,
                env=environment)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stderr:
            self.process.stderr.close()

    def require_alive(self):
        if self.process.poll() is not None:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                raise BenchError(f"{self.process.args[0]} ended by itself:\n{log.read()[-2000:]}")


class Redis(Child):
    """A Redis of this run alone, on a Unix socket in its folder."""

    def __init__(self, folder, append_only, *arguments):
        self.socket_path = os.path.join(folder, "redis.sock")
        self.url = f"redis+unix://{self.socket_path}"
        persistence = ["--appendonly", "no"]
        if append_only != "no":
            # Rewriting the file in the middle of a phase would disturb one side only.
            persistence = ["--appendonly", "yes", "--appendfsync", append_only, "--auto-aof-rewrite-percentage", "0"]
        super().__init__(
            ["redis-server", "--port", "0", "--unixsocket", self.socket_path, "--dir", folder, "--save", "",
             "--proto-max-bulk-len", "2mb"]
            + persistence + list(arguments), os.path.join(folder, "redis.log"))

    def wait_ready(self):
        def is_ready():
            self.require_alive()
            return os.path.exists(self.socket_path) and self.command("PING", check=False) == "PONG"

        wait_until(is_ready, "the start of Redis")

    def command(self, *words, check=True):
        done = subprocess.run(
            ["redis-cli", "-s", self.socket_path, *words], capture_output=True, text=True, timeout=60)
        if check and (done.returncode != 0 or done.stdout.startswith(("ERR", "NOSCRIPT", "(error)"))):
            raise BenchError(f"redis-cli {words[0]}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    def load(self, path):
        """Empties the database and fills it with the commands in a file."""
        self.command("FLUSHALL", "SYNC")
        self.feed(path)

    def feed(self, path):
        """Sends the commands in a file, through `redis-cli --pipe`."""
        with open(path, "rb") as commands:
            done = subprocess.run(
                ["redis-cli", "-s", self.socket_path, "--pipe"], stdin=commands, capture_output=True, text=True,
                timeout=120)
        if done.returncode != 0 or "errors: 0" not in done.stdout:
            raise BenchError(f"seeding Redis failed: {done.stdout}{done.stderr}")

    def processor_seconds(self):
        return processor_seconds(self.pid)

    def stream_entries(self, partitions):
        """How many entries the dispatch streams have been given together, whether or not the node's sweep has removed
        some as void: those of the script alone belong to no sound record."""
        script = """
            local n = 0
            for _, key in ipairs(KEYS) do
                local about = redis.call('EXISTS', key) == 1 and redis.call('XINFO', 'STREAM', key) or {}
                for index = 1, #about, 2 do
                    if about[index] == 'entries-added' then n = n + about[index + 1] end
                end
            end
            return n"""
        keys = [f"usher:{{p{number:x}}}:dispatch" for number in partitions]
        return int(self.command("EVAL", script, str(len(keys)), *keys))

    def total(self, command, keys):
        """The sum of what a command says of each key."""
        script = "local n = 0 for _, key in ipairs(KEYS) do n = n + redis.call(ARGV[1], key) end return n"
        return int(self.command("EVAL", script, str(len(keys)), *keys, command))


class RedisConnection:
    """A connection that is kept, for what is asked over and over: to start `redis-cli` costs more than most answers."""

    def __init__(self, redis):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(redis.socket_path)
        self.replies = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.replies.close()
        self.socket.close()

    def ask(self, *words):
        """The reply to a command, if it is a number or a text; None for none."""
        self.socket.sendall(resp(*words).encode())
        line = self.replies.readline()
        kind, text = line[:1], line[1:-2].decode()
        if kind == b":":
            return int(text)
        if kind == b"$":
            return None if text == "-1" else self.replies.read(int(text) + 2)[:-2].decode()
        raise BenchError(f"Redis answered {words[0]} with {line.decode(errors='replace').strip()}")


def environment_without_settings():
    return {name: value for name, value in os.environ.items() if not name.startswith("USHER_")}


class Runner(Child):
    """`usher runner`, which starts a command for each bot, once."""

    def __init__(self, binary, folder, redis, node, capacity, launch):
        self.redis = redis
        super().__init__(
            [binary, "runner", "--redis", redis.url, "--api-url",
             f"http://127.0.0.1:{node.port}", "--capacity", str(capacity), "--launch", launch, "--max-attempts", "1"],
            os.path.join(folder, "runner.log"), environment_without_settings())

    def wait_ready(self):
        def is_there():
            self.require_alive()
            return self.redis.command("--scan", "--pattern", "usher:{runners}:*")

        wait_until(is_there, "the runner's first sign of life")


class Node(Child):
    """`usher serve`, with as many loops as asked for."""

    def __init__(self, binary, folder, redis, loops, reads_log=True, environment=None):
        self.port = free_port()
        self.started_at = time.monotonic()
        super().__init__(
            [binary, "serve", "--port", str(self.port), "--loops", str(loops),
             # Limits that cost what they cost anybody, and are not met.
             "--rate-limit-per-second", "1000000", "--rate-limit-burst", "10000000", "--redis", redis.url],
            os.path.join(folder, "node.log"), {
                **environment_without_settings(), "USHER_ADMIN_KEY": ADMIN_KEY, **(environment or {})}, reads_log)

    def status(self, path):
        """The status of the answer to a GET on a connection of its own; None if there is none yet."""
        request = f"GET {path} HTTP/1.1\r\nHost: bench\r\nX-API-Key: none\r\nConnection: close\r\n\r\n"
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(request.encode())
                answer = connection.recv(65536)
        except OSError:
            return None
        return int(answer.split(b" ", 2)[1]) if answer else None

    def seconds_until(self, path, status):
        """Asks until the answer has this status. Returns the time since the process was started."""
        deadline = self.started_at + 20
        while self.status(path) != status:
            self.require_alive()
            if time.monotonic() > deadline:
                raise BenchError(f"{path} was not answered with {status} within 20 s of the node's start")
            time.sleep(0.0005)
        return time.monotonic() - self.started_at

    def wait_ready(self):
        # An unknown key gets its 401 from Redis: until the node is connected, it answers 503.
        return self.seconds_until("/api/v1/public/meeting/none/meetings", 401)
