"""Output that cannot be written is a failure, and a secret that nobody could see is revoked again."""

import fcntl
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import termios

import pytest

from harness.node import BINARY
from harness.ports import free_port
from harness.process import Process
from harness.up import PATIENCE, run_usher
from harness.waiting import wait_for
from harness.workspace import random_meet_code

# As a shell's `> /dev/full`, `>&-` and `| head -n 0` do it.
OUTPUTS = {"full": "No space left on device", "closed": "Bad file descriptor", "unread": "Broken pipe"}


def run_without_output(kind, *arguments, environment=None):
    """Runs a command that ends by itself, with an output that takes nothing: (exit code, standard error)."""
    command = [BINARY, *[str(argument) for argument in arguments]]
    environment = {"PATH": os.environ.get("PATH", ""), **PATIENCE, **(environment or {})}
    options = {"env": environment, "stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True, "timeout": 60}
    if kind == "closed":
        run = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *command], **options)
    elif kind == "full":
        with open("/dev/full", "w") as full:
            run = subprocess.run(command, stdout=full, **options)
    else:
        reading, writing = os.pipe()
        os.close(reading)
        try:
            run = subprocess.run(command, stdout=writing, **options)
        finally:
            os.close(writing)
    return run.returncode, run.stderr


@pytest.fixture
def usher(redis_server):
    return lambda kind, *arguments: run_without_output(kind, *arguments, environment={"USHER_REDIS": redis_server.url})


@pytest.fixture
def owner(redis_server):
    """A user with a personal workspace: its record."""
    status, output, errors = run_usher(
        "admin", "create-user", "--email", f"output-{random_meet_code()}@example.com",
        environment={"USHER_REDIS": redis_server.url})
    assert status == 0, errors
    return json.loads(output)


@pytest.fixture
def keys(redis_server, owner):
    """What `usher admin list-keys` shows of the owner's workspace."""
    def listed():
        status, output, errors = run_usher(
            "admin", "list-keys", "--workspace-id", owner["workspace_id"],
            environment={"USHER_REDIS": redis_server.url})
        assert status == 0, errors
        return json.loads(output)["keys"]
    return listed


@pytest.mark.parametrize("kind", OUTPUTS)
def test_no_command_succeeds_without_its_output(usher, owner, kind):
    for command in [
        ["help"], ["--help"], ["--version"], ["openapi"], ["help", "settings"], ["up", "--help"], ["status"],
        ["status", "--json"], ["doctor"], ["keys", owner["workspace_id"]],
        ["admin", "list-keys", "--workspace-id", owner["workspace_id"]],
        ["admin", "create-user", "--email", owner["email"]],
        ["admin", "set-member", "--workspace-id", owner["workspace_id"], "--user-id", owner["id"], "--role", "owner"],
    ]:
        status, errors = usher(kind, *command)
        assert status == 1, (command, errors)
        assert errors == f"usher: standard output could not be written ({OUTPUTS[kind]}).\n", command


@pytest.mark.parametrize("kind", OUTPUTS)
def test_a_key_that_could_not_be_shown_is_revoked(usher, owner, keys, redis, kind):
    before = set(redis.scan("usher:key:*"))
    status, errors = usher(kind, "admin", "create-key", "--workspace-id", owner["workspace_id"], "--user-id",
                           owner["id"], "--scopes", "bots")
    assert status == 1
    assert errors == (f"usher: The new key could not be shown (standard output: {OUTPUTS[kind]}), so it was revoked "
                      "again.\n")
    assert keys() == []
    # Others make keys meanwhile, so this looks for those of this workspace alone.
    made = set(redis.scan("usher:key:*")) - before
    assert not [key for key in made if redis.hash(key).get("workspace_id") == owner["workspace_id"]]


@pytest.mark.parametrize("grace", [[], ["--grace-seconds", "0"]])
def test_a_rotation_that_could_not_be_shown_leaves_the_old_key(redis_server, usher, owner, keys, grace):
    status, output, errors = run_usher(
        "admin", "create-key", "--workspace-id", owner["workspace_id"], "--user-id", owner["id"], "--scopes", "bots",
        environment={"USHER_REDIS": redis_server.url})
    assert status == 0, errors
    before = keys()
    status, errors = usher("full", "admin", "rotate-key", "--key-id", json.loads(output)["id"], *grace)
    assert status == 1
    assert errors == ("usher: The new key could not be shown (standard output: No space left on device), so it was "
                      "revoked again; the old one is as it was.\n")
    assert keys() == before and before[0]["expires_at"] is None and before[0]["rotated_to"] is None


def test_a_closed_output_is_taken_by_nothing_else(usher, owner, redis_server):
    """Whatever is opened first gets the lowest number: the connection to Redis must not become standard output."""
    command = f"exec {BINARY} admin create-user --email {owner['email']} <&- >&- 2>&-"
    run = subprocess.run(["sh", "-c", command], timeout=300, env={
        "PATH": os.environ["PATH"], **PATIENCE, "USHER_REDIS": redis_server.url})
    assert run.returncode == 1


class Watch(Process):
    def __init__(self, servers, redis):
        super().__init__("watch", [BINARY, "watch", "--redis", redis.url], PATIENCE, servers.folder)


def test_a_watch_that_cannot_be_written_ends(servers, redis_server, workspace):
    full = os.open("/dev/full", os.O_WRONLY)
    watch = servers.add(Watch(servers, redis_server))
    watch.output_tap = Sink(full)
    watch.spawn()

    def is_over():
        workspace.create_meeting()
        return not watch.alive
    wait_for(is_over, "the end of the watch", interval_s=0.1)
    os.close(full)
    assert watch.wait() == 1
    assert "usher: standard output could not be written (No space left on device).\n" in watch.log


def test_a_watch_that_nobody_reads_can_be_stopped(servers, redis_server, workspace):
    reading, writing = os.pipe()
    watch = servers.add(Watch(servers, redis_server))
    watch.output_tap = Sink(writing)
    watch.spawn()

    def has_begun():
        workspace.create_meeting()
        return bytes_waiting(reading) > 0
    wait_for(has_begun, "the watch's first event", interval_s=0.05)
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"\n")
    except BlockingIOError:
        os.set_blocking(writing, True)
    workspace.create_meeting()
    wait_for(lambda: waits_to_write(watch.pid), "the watch's wait for a reader")
    watch.signal(signal.SIGTERM)
    assert watch.wait() == 0
    os.close(reading)
    os.close(writing)


def test_what_others_say_does_nothing_to_a_terminal():
    """Here what answers a probe: it is shown, in one line."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        probe = subprocess.Popen([BINARY, "probe", "--port", str(port)], stderr=subprocess.PIPE, text=True)
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall("HTTP/1.1 500 No\r\n\r\n\x1b[31mno\x9b0m\nand\tno".encode())
        _, errors = probe.communicate(timeout=300)
    assert (probe.returncode, errors) == (1, "usher:  [31mno 0m and no\n")


@pytest.mark.parametrize("arguments, status, sentence", [
    (["nonsense"], 2, 'There is no command "nonsense"'),
    (["import", "/nonexistent"], 1, "could not be read (No such file or directory)"),
])
def test_a_process_without_threads_still_says_why_it_fails(arguments, status, sentence):
    # The kernel grants no stack of this size, and so no thread.
    stack = (1 << 46, 1 << 46)
    run = subprocess.run(
        [BINARY, *arguments], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, stack))
    assert run.returncode == status and sentence in run.stderr and not run.stdout


def test_up_ends_where_it_cannot_say_what_is_up(redis_server, owner):
    """And revokes the key of the demo, which nobody has seen."""
    status, errors = run_without_output(
        "full", "up", "--redis", redis_server.url, "--port", free_port(), "--nodes", 1, "--runners", 0)
    assert status == 1
    [line] = [line for line in errors.splitlines() if not line.startswith("{")]
    assert "standard output cannot be written (No space left on device)" in line
    assert line.endswith("the demo's new API key is revoked.")


class Sink:
    """What a process writes to, in place of a file."""

    def __init__(self, descriptor):
        self.descriptor = descriptor

    def begin(self, path):
        pass


def bytes_waiting(descriptor):
    return struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4))[0]


def waits_to_write(pid):
    """Whether one of a process's threads is in a write to standard output: by the call's number, on x86-64 and arm64."""
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/syscall") as file:
                if file.read().split()[:2] in (["1", "0x1"], ["64", "0x1"]):
                    return True
        except OSError:
            pass
    return False
