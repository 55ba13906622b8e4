"""`usher up`: a newcomer's first minutes, and every way in which they can go wrong."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import urllib.parse

import pytest

from harness.http_client import request
from harness.keys import partition
from harness.ports import free_port
from harness.process import children, is_running, session_members
from harness.node import BINARY
from harness.resp import RedisClient, RedisError
from harness.up import Up, run_curl, run_usher
from harness.waiting import wait_for
from harness.workspace import API, random_meet_code

# What is refused needs none.
NO_REDIS = ["--redis", "redis+unix:///nowhere/redis.sock"]
# Bots that stay on their way, so that their dispatches stay in flight for as long as a test looks at them.
NEVER_IN = {"USHER_SIMULATE_LOBBY_MS": "3600000"}


@pytest.fixture
def folder(servers):
    return servers.folder


@pytest.fixture
def up(servers, folder):
    """A running `usher up`."""
    return servers.add(Up(folder, environment=NEVER_IN)).start()


def refusal(servers, up):
    """The one sentence on standard error with which `usher up` refuses to start; nothing may be left running."""
    servers.add(up).spawn()
    status = up.wait()
    assert status not in (0, None) and status > 0, status
    assert session_members(up.pid) == []
    lines = up.log.strip().splitlines()
    assert len(lines) == 1, up.log
    return lines[0]


def executable_name(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return None


def named_children(up, name):
    return [pid for pid in children(up.pid) if (executable_name(pid) or "").startswith(name)]


def test_the_printed_commands_show_202_then_12107(up):
    first, second = up.reinvitations[0], up.reinvitations[-1]
    status, body = run_curl(first)
    assert (status, body["action"]) == (202, "dispatched")
    status, body = run_curl(second)
    assert (status, body["code"]) == (409, 12107)
    # Every other command that it shows works too.
    for command in up.curl_commands:
        if "reinvite_bot" not in command:
            assert run_curl(command)[0] in (200, 201, 204), command


def test_what_runs_and_where_the_data_is(up):
    """A private redis-server with an append-only file under the data folder; as many nodes as asked for; a runner."""
    assert len(named_children(up, "usher")) == 3
    [redis] = named_children(up, "redis")
    client = RedisClient(os.path.join(up.data, "redis.sock"))
    assert client.call("INFO", "server").count(f"process_id:{redis}\r\n") == 1
    assert client.call("CONFIG", "GET", "appendonly") == ["appendonly", "yes"]
    assert client.call("CONFIG", "GET", "port") == ["port", "0"]
    assert client.call("CONFIG", "GET", "proto-max-bulk-len") == ["proto-max-bulk-len", str(2 << 20)]
    assert os.path.realpath(client.call("CONFIG", "GET", "dir")[1]) == os.path.realpath(up.data)
    assert up.data in up.output, "the data folder is not named"
    # No secret stands on a command line, where every user of the machine can read it.
    for pid in [up.pid, *children(up.pid)]:
        with open(f"/proc/{pid}/cmdline") as file:
            assert "usher_" not in file.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_everything(up, number):
    pids = session_members(up.pid)
    assert len(pids) == 5
    if number == signal.SIGINT:
        os.killpg(up.pid, number)  # As a terminal does: the whole foreground group at once.
    else:
        up.signal(number)
    assert up.wait() == 0, up.log
    assert [pid for pid in pids if is_running(pid)] == []
    with pytest.raises(OSError):
        request(up.port, "GET", "/healthz")


def test_data_outlives_a_stop(servers, folder):
    first = servers.add(Up(folder, environment=NEVER_IN)).start()
    assert run_curl(first.reinvitations[0])[0] == 202
    first.signal(signal.SIGINT)
    assert first.wait() == 0
    again = servers.add(Up(folder, name="again", port=first.port, environment=NEVER_IN)).start()
    # The key is a new one, as the old one is stored nowhere; the workspace, the meeting and its dispatch are there.
    old, new = (re.search("Bearer ([^']+)'", up.reinvitations[0])[1] for up in (first, again))
    status, body = run_curl(first.reinvitations[0].replace(old, new))
    assert (status, body["code"]) == (409, 12107)
    assert run_curl(first.reinvitations[0])[0] == 401
    assert run_curl(again.reinvitations[0])[0] == 202


TOKEN = "the-token-of-the-speech-service"


@pytest.fixture
def launching(servers, folder, tmp_path):
    """An `usher up` of bots that are given by --launch, and write down what they are told."""
    told, bot = tmp_path / "told", tmp_path / "bot"
    bot.write_text(f"""#!/bin/sh\necho "$VEXA_BOT_CONFIG" >>{told}\nexec '{BINARY}' simulate-bot\n""")
    bot.chmod(0o755)
    up = servers.add(Up(folder, "--launch", str(bot), "--transcription-url", "http://127.0.0.1:9/v1/audio",
                        "--transcription-model", "large", environment={"USHER_TRANSCRIPTION_TOKEN": TOKEN})).start()
    # The first of them; a shell opens the file before it writes there.
    up.wait_for_told = lambda: json.loads(wait_for(
        lambda: told.exists() and [line for line in told.read_text().splitlines(True) if line.endswith("\n")],
        "what the bot was told")[0])
    return up


def records_command(up):
    """The printed line that shows the records, as words for a shell."""
    [line] = re.findall(r"^  (.*redis-cli .*)$", up.output, re.MULTILINE)
    return line


def test_bots_of_launch_reach_redis_by_tcp(launching):
    """Since their clients know nothing else; by a user of their own, and nobody gets in without a password."""
    assert run_curl(launching.reinvitations[0])[0] == 202
    url = urllib.parse.urlsplit(launching.wait_for_told()["redisUrl"])
    assert (url.scheme, url.hostname, url.path) == ("redis", "127.0.0.1", "/0")
    assert url.username.startswith("usher-bot-")

    # The bot writes what it hears to Redis, and so into the transcript.
    records = records_command(launching)
    def has_segments():
        keys = subprocess.run(["bash", "-c", f"{records} --scan --pattern '*:segments'"], text=True,
                              capture_output=True, timeout=60, check=True)
        assert keys.stderr == ""
        return keys.stdout.strip()
    wait_for(has_segments, "segments of the bot's")

    with socket.create_connection(("127.0.0.1", url.port), timeout=60) as stranger:
        stranger.sendall(b"PING\r\n")
        assert stranger.recv(100).startswith(b"-NOAUTH")
    client = RedisClient(os.path.join(launching.data, "redis.sock"))
    with pytest.raises(RedisError, match="NOAUTH"):
        client.call("PING")
    assert client.call("AUTH", url.username, url.password) == "OK"
    for command in ("GET usher:seq:user", "ACL LIST", "CONFIG GET requirepass", "KEYS *"):
        with pytest.raises(RedisError, match="NOPERM"):
            client.call(*command.split())
    client.close()
    shown = "".join(open(f"/proc/{pid}/cmdline").read() for pid in session_members(launching.pid))
    password = re.search("REDISCLI_AUTH=(\\w+)", records)[1]
    assert password not in shown and url.password not in shown and password != url.password
    assert oct(os.stat(os.path.join(launching.data, "redis.sock")).st_mode)[-3:] == "700"


def test_bots_are_told_of_the_speech_service_and_nobody_else_of_its_secret(launching):
    assert run_curl(launching.reinvitations[0])[0] == 202
    told = launching.wait_for_told()
    assert told["transcriptionServiceUrl"] == "http://127.0.0.1:9/v1/audio" and told["transcriptionModel"] == "large"
    assert told["transcriptionServiceToken"] == TOKEN
    shown = "".join(open(f"/proc/{pid}/cmdline").read() for pid in session_members(launching.pid))
    assert "usher" in shown and TOKEN not in shown
    assert TOKEN not in launching.output and TOKEN not in launching.log
    # All that was ever written to Redis stands there.
    files = [os.path.join(path, name) for path, _, names in os.walk(launching.data) for name in names if "aof" in name]
    assert files and not any(TOKEN.encode() in open(name, "rb").read() for name in files)


def test_redis_is_bound_to_this_machine(launching):
    [redis] = named_children(launching, "redis")
    listening = subprocess.run(["ss", "-Hltnp"], text=True, capture_output=True, timeout=60, check=True).stdout
    addresses = [line.split()[3] for line in listening.splitlines() if f"pid={redis}," in line]
    assert len(addresses) == 1 and addresses[0].startswith("127.0.0.1:")


def test_a_launch_command_that_is_not_there_is_refused(servers, folder):
    line = refusal(servers, Up(folder, "--launch", "/nowhere/bot"))
    assert "--launch" in line and "/nowhere/bot" in line and "No such file" in line
    assert not os.path.exists(os.path.join(folder, "data"))


def test_another_redis(servers, folder):
    """`--redis URL` uses yours instead."""
    server = servers.redis()
    up = servers.add(Up(folder, "--redis", server.url)).start()
    assert named_children(up, "redis") == []
    assert run_curl(up.reinvitations[0])[0] == 202
    # Its runner may have taken the dispatch by now: the event stays.
    events = [fields for key in server.client.scan("usher:*:events") for _, fields in server.client.stream(key)]
    assert sum(event["what"] == "dispatched" for event in events) == 1


def test_redis_that_does_not_answer(servers, folder):
    """The nodes log what they miss too, so here the sentence is not the only line."""
    url = f"redis+unix://{folder}/nothing.sock"
    up = servers.add(Up(folder, "--redis", url, environment={"USHER_REDIS_TIMEOUT_MS": "1000"}))
    up.spawn()
    assert up.wait() == 1
    assert session_members(up.pid) == []
    [line] = [line for line in up.log.strip().splitlines() if not line.startswith("{")]
    assert "nothing.sock" in line


@pytest.mark.parametrize("reuse", [False, True])
def test_port_in_use(servers, folder, reuse):
    """Also by a program that would share it, as another `usher up` does."""
    with socket.socket() as holder:
        if reuse:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert str(port) in refusal(servers, Up(folder, port=port))


def test_data_folder_that_can_not_be_made(servers, folder):
    file = os.path.join(folder, "a-file")
    open(file, "w").close()
    data = os.path.join(file, "data")
    assert data in refusal(servers, Up(folder, data=data))


def test_data_folder_whose_path_is_too_long_for_a_socket(servers, folder):
    data = os.path.join(folder, "d" * 100)
    assert "107" in refusal(servers, Up(folder, data=data))


def others_may(path):
    """What a file's or folder's mode lets others do: 0 for nothing."""
    return stat.S_IMODE(os.lstat(path).st_mode) & 0o077


def test_data_is_for_its_owner_alone(servers, folder):
    """Also in a folder that was made before, and whatever the shell's umask is."""
    data = os.path.join(folder, "data")
    os.mkdir(data, 0o755)
    before = os.umask(0o022)
    try:
        up = servers.add(Up(folder, data=data)).start()
    finally:
        os.umask(before)
    assert f'Other users could look into the data folder "{data}"' in up.log
    assert run_curl(up.reinvitations[0])[0] == 202
    entries = [os.path.join(where, name) for where, folders, files in os.walk(data) for name in folders + files]
    assert os.path.join(data, "appendonlydir") in entries and len(entries) >= 5
    assert [path for path in [data, *entries] if others_may(path)] == []


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o703])
def test_data_folder_that_others_can_write_to(servers, folder, mode):
    data = os.path.join(folder, "data")
    os.mkdir(data)
    os.chmod(data, mode)
    assert "Other users can write to the data folder" in refusal(servers, Up(folder, data=data))
    assert os.listdir(data) == [] and stat.S_IMODE(os.stat(data).st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a folder away")
def test_data_folder_of_another_user(servers, folder):
    data = os.path.join(folder, "data")
    os.mkdir(data)
    os.chown(data, 65534, 65534)
    assert "belongs to another user (65534)" in refusal(servers, Up(folder, data=data))
    assert os.listdir(data) == []


def test_data_folder_that_is_a_link(servers, folder):
    target, data = os.path.join(folder, "elsewhere"), os.path.join(folder, "data")
    os.mkdir(target)
    os.symlink(target, data)
    assert "is a symbolic link" in refusal(servers, Up(folder, data=data))
    assert os.listdir(target) == []


@pytest.mark.parametrize("name", ["lock", "redis.log", "redis.sock", "appendonlydir/appendonly.aof.manifest"])
@pytest.mark.parametrize("kind", ["symlink", "link", "fifo"])
def test_a_file_that_others_put_into_the_data_folder(servers, folder, name, kind):
    """Neither followed nor waited for; what it leads to stays as it is."""
    data, victim = os.path.join(folder, "data"), os.path.join(folder, "victim")
    path = os.path.join(data, name)
    os.makedirs(os.path.dirname(path), 0o700)
    os.chmod(data, 0o700)
    with open(victim, "w") as file:
        file.write("precious\n")
    {"symlink": os.symlink, "link": os.link, "fifo": lambda _, path: os.mkfifo(path)}[kind](victim, path)
    line = refusal(servers, Up(folder, data=data))
    assert f'"{os.path.basename(name)}" is no file of this user\'s alone' in line
    with open(victim) as file:
        assert file.read() == "precious\n"


def test_data_folder_in_use(servers, folder, up):
    assert up.data in refusal(servers, Up(folder, name="second", data=up.data, port=free_port()))
    assert request(up.port, "GET", "/healthz").status == 200


def test_missing_redis_server(servers, folder):
    empty = os.path.join(folder, "empty")
    os.mkdir(empty)
    line = refusal(servers, Up(folder, environment={"PATH": empty}))
    assert "redis-server" in line


def test_sigkill_leaves_nothing_running(up):
    pids = session_members(up.pid)
    assert len(pids) == 5
    up.kill()
    wait_for(lambda: not any(is_running(pid) for pid in pids), "the end of all that `usher up` started")


def test_bots_that_are_waited_for_end_by_themselves(servers, folder):
    """`--on-stop wait` has no other end: not that of bots that are told to leave, which is over before they have left."""
    server = servers.redis()
    stay = {"USHER_ON_STOP": "wait", "USHER_STOP_GRACE_MS": "1000", "USHER_SIMULATE_MEETING_MS": "9000"}
    up = servers.add(Up(folder, "--redis", server.url, environment=stay)).start()
    assert run_curl(up.reinvitations[0])[0] == 202

    def statuses():
        return [server.client.hash(key).get("bot_status") for key in server.client.scan("usher:*:meeting:*")
                if server.client.call("TYPE", key) == "hash" and not key.endswith(":segments")]

    wait_for(lambda: "active" in statuses(), "a bot's being in its room")
    up.signal(signal.SIGTERM)
    assert up.wait() == 0
    assert statuses() == ["completed"]


@pytest.mark.parametrize("index", [0, 2])
def test_killed_node_or_runner_is_replaced(up, index):
    victim = sorted(named_children(up, "usher"))[index]
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: victim not in children(up.pid) and len(named_children(up, "usher")) == 3, "another in its place")
    assert request(up.port, "GET", "/healthz").status == 200


def test_a_worker_that_cannot_be_started_again_ends_no_other(servers, folder, tmp_path):
    binary = tmp_path / "usher"
    shutil.copy(BINARY, binary)
    up = Up(folder, environment=NEVER_IN)
    up.arguments[0] = str(binary)
    servers.add(up).start()
    victim, *others = sorted(named_children(up, "usher"))
    binary.chmod(0o600)
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: "Permission denied). It is tried again in" in up.log, "the word of it")
    assert sorted(named_children(up, "usher")) == others
    binary.chmod(0o700)
    wait_for(lambda: len(named_children(up, "usher")) == 3, "another in its place")


def test_killed_redis_stops_everything(up):
    pids = session_members(up.pid)
    [redis] = named_children(up, "redis")
    os.kill(redis, signal.SIGKILL)
    assert up.wait() == 1
    assert "redis" in up.log.lower()
    assert [pid for pid in pids if is_running(pid)] == []


def test_bad_settings_are_one_sentence(folder):
    for arguments, environment, named in [
        (["up", "--port", "99999"], {}, ["--port", "99999"]), (["serve"], {"USHER_PORT": "x"}, ["USHER_PORT", "x"]),
        (["up", "--nodes", "0"], {}, ["--nodes", "0"]), (["serve", "--redis", "http://x"], {}, ["--redis"]),
        (["up", "--prot", "1"], {}, ["--prot", "--port"]), (["sevre"], {}, ["sevre", "serve"]),
        (["serve", "--admin-key", "short"], {}, ["--admin-key"]),
        *((arguments, {}, arguments[1:3]) for command in ("serve", "up") for arguments in [
            [command, "--archive", "/nowhere", *NO_REDIS], [command, "--archive", "s3://bucket", *NO_REDIS]]),
        (["serve", "--recordings", "/nowhere", *NO_REDIS], {}, ["--recordings", "/nowhere"]),
        (["runner", "--launch", "/nowhere/bot", *NO_REDIS], {}, ["--launch", "/nowhere/bot"]),
        (["admin", "set-member", "--workspace-id", "w", "--user-id", "1", "--role", "boss"], {}, ["--role", "boss"]),
    ]:
        status, output, errors = run_usher(*arguments, environment=environment, cwd=folder)
        assert (status, output, len(errors.strip().splitlines())) == (2, "", 1), (arguments, status, output, errors)
        assert all(name in errors for name in named), errors
        assert "short" not in errors or "--admin-key" in named


def test_help_is_there():
    status, output, _ = run_usher("help")
    assert status == 0 and all(command in output for command in ("serve", "up", "admin", "keys"))
    for command in ("serve", "up", "admin", "keys"):
        status, output, _ = run_usher(command, "--help")
        assert status == 0 and "USHER_REDIS" in output


class TestShell:
    """`usher keys` and `usher admin`, on the records of a Redis of the tests' own."""

    @pytest.fixture
    def usher(self, redis_server):
        def run(*arguments):
            return run_usher(*arguments, environment={"USHER_REDIS": redis_server.url})
        return run

    @pytest.fixture
    def usher_json(self, usher):
        def run(*arguments):
            status, output, errors = usher(*arguments)
            assert status == 0, errors
            return json.loads(output)
        return run

    def test_keys_of_a_workspace_and_of_a_meeting(self, redis_server, redis, workspace, usher):
        """Every line is a command for redis-cli that shows something of the record."""
        meeting = workspace.create_meeting()
        assert workspace.reinvite(meeting).status == 202
        for identifier, expected in [
            (workspace.id, {workspace.keys.workspace, workspace.keys.members, workspace.keys.meetings}),
            (meeting.id, {meeting.hash_key, meeting.in_flight_key, meeting.room_key}),
        ]:
            status, output, errors = usher("keys", identifier)
            assert status == 0, errors
            words = {word for line in output.splitlines() for word in shlex.split(line)}
            assert expected <= words, output
            for line in output.splitlines():
                command = [word for word in shlex.split(line) if word != "redis-cli"]
                shown = subprocess.run(["redis-cli", "-s", redis_server.socket_path, *command], text=True,
                                       capture_output=True, timeout=60, check=True)
                assert not shown.stdout.startswith("ERR"), f"{line}: {shown.stdout}"

    @pytest.mark.parametrize("identifier", ["0" * 32, "3fa85f64-5717-4562-b3fc-2c963f66afa6", "*", ""])
    def test_keys_of_nothing(self, usher, identifier):
        status, output, errors = usher("keys", identifier)
        assert status in (1, 2) and output == ""
        assert len(errors.strip().splitlines()) == 1

    def test_admin_does_what_the_api_does(self, admin, redis, usher, usher_json):
        """From nothing to a dispatch, with the shell alone in place of `/admin`."""
        user = usher_json("admin", "create-user", "--email", f"shell-{random_meet_code()}@example.com")
        again = usher_json("admin", "create-user", "--email", user["email"])
        assert (again["id"], again["workspace_id"]) == (user["id"], user["workspace_id"])
        record = usher_json("admin", "create-workspace", "--name", "Shell", "--owner-user-id", user["id"])
        other = usher_json("admin", "create-user", "--email", f"shell-{random_meet_code()}@example.com")
        member = ["--workspace-id", record["id"], "--user-id", other["id"]]
        assert usher_json("admin", "set-member", *member, "--role", "manager")["role"] == "manager"
        key = usher_json("admin", "create-key", *member, "--scopes", "seameet", "--label", "shell")
        listed = usher_json("admin", "list-keys", "--workspace-id", record["id"])["keys"]
        assert [(entry["id"], entry["label"], "key" in entry) for entry in listed] == [(key["id"], "shell", False)]

        path = f"{API}/{record['id']}/meetings"
        headers = {"X-API-Key": key["key"]}
        body = {"meeting_url": f"https://meet.google.com/{random_meet_code()}"}
        meeting = admin.node.request("POST", path, body=body, headers=headers).json["meeting_id"]
        assert admin.node.request("POST", f"{path}/{meeting}/reinvite_bot", headers=headers).status == 202
        assert usher("admin", "delete-key", "--key-id", key["id"])[0] == 0
        assert admin.node.request("GET", path, headers=headers).status == 401
        assert usher("admin", "remove-member", *member)[0] == 0
        assert str(other["id"]) not in redis.hash(f"{partition(record['id'])}:ws:{record['id']}:members")

    def test_admin_refusals_are_one_sentence(self, usher):
        for arguments in [
            ["create-user", "--email", "nonsense"], ["create-workspace", "--name", "W", "--owner-user-id", "999999999"],
            ["set-member", "--workspace-id", "none", "--user-id", "1", "--role", "king"],
            ["delete-key", "--key-id", "none"], ["create-user"], ["no-such-action"],
        ]:
            status, output, errors = usher("admin", *arguments)
            assert status in (1, 2) and output == "", arguments
            assert len(errors.strip().splitlines()) == 1, errors

    @pytest.mark.parametrize("text", ["", "x" * 201, "a\nb", "\x1b[31m"])
    def test_admin_refuses_the_texts_that_the_api_refuses(self, admin, usher, usher_json, text):
        """In the same words, since both keep the same records."""
        user = usher_json("admin", "create-user", "--email", f"shell-{random_meet_code()}@example.com")
        email = f"shell-{random_meet_code()}@example.com"
        member = ["--workspace-id", user["workspace_id"], "--user-id", user["id"]]
        for arguments, path, body in [
            (["create-user", "--email", email, "--name", text], "/admin/users", {"email": email, "name": text}),
            (["create-workspace", "--name", text, "--owner-user-id", user["id"]], "/admin/workspaces",
             {"name": text, "owner_user_id": user["id"]}),
            (["create-key", *member, "--scopes", "bots", "--label", text],
             f"/admin/workspaces/{user['workspace_id']}/keys",
             {"user_id": user["id"], "scopes": ["bots"], "label": text}),
        ]:
            status, output, errors = usher("admin", *arguments)
            answer = admin.request("POST", path, body)
            assert (status, output, answer.status) == (1, "", 422), (arguments, errors)
            assert errors == f"usher: {answer.json['detail']}\n"
        assert usher_json("admin", "list-keys", "--workspace-id", user["workspace_id"])["keys"] == []
        assert admin.request("GET", f"/admin/users/email/{email}").status == 404

    def test_redis_that_does_not_answer(self, folder):
        for command in (["keys", "0" * 32], ["admin", "create-user", "--email", "a@example.com"]):
            status, output, errors = run_usher(
                *command, "--redis", f"redis+unix://{folder}/nothing.sock", "--redis-timeout-ms", "2000")
            assert status == 1 and output == "" and len(errors.strip().splitlines()) == 1, errors
