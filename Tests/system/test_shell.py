"""`usher users`, `workspaces`, `meetings`, `bots` and `keys` against a real Redis: what they show, page by page, and what they
refuse; `usher send` and `usher stop`, which do what the API does; and what completes command lines."""

import json
import shutil
import subprocess

import pytest

from harness.bots_user import BotsUser
from harness.node import BINARY
from harness.up import run_usher
from harness.workspace import Admin


@pytest.fixture(scope="module")
def scene(module_servers):
    redis = module_servers.redis()
    return redis, Admin(module_servers.node(redis))


def listed(redis, *arguments):
    code, output, log = run_usher(*arguments, "--redis", redis.url, "--json")
    assert code == 0, log
    return json.loads(output)


def table(redis, *arguments):
    code, output, log = run_usher(*arguments, "--redis", redis.url)
    assert code == 0, log
    return output.splitlines()


def test_users(scene):
    redis, admin = scene
    made = [admin.create_user(name="Ana") for _ in range(3)]
    found, options = [], []
    while True:
        page = listed(redis, "users", "--limit", "2", *options)
        assert len(page["users"]) <= 2
        found += page["users"]
        if page["next"] is None:
            break
        assert page["next"] == f"--skip {len(found)}"
        options = page["next"].split()
    assert [user["id"] for user in found] == sorted(user["id"] for user in found)
    assert [user for user in found if user["id"] in {user["id"] for user in made}] == [
        {name: user[name] for name in ("id", "email", "name", "workspace_id", "max_concurrent_bots", "created_at")}
        for user in made]
    lines = table(redis, "users", "--limit", "1")
    assert lines[0].split() == ["ID", "EMAIL", "NAME", "WORKSPACE_ID", "MAX_CONCURRENT_BOTS", "CREATED_AT"]
    assert len(lines) == 3 and lines[2] == "more by --skip 1"
    # One whose record is odd is left out, and hides nobody behind it.
    workspace = redis.client.call("HGET", f"usher:user:{made[1]['id']}", "workspace_id")
    redis.client.call("HDEL", f"usher:user:{made[1]['id']}", "workspace_id")
    skip = [user["id"] for user in found].index(made[1]["id"])
    page = listed(redis, "users", "--skip", str(skip), "--limit", "1")
    assert page == {"users": [], "next": f"--skip {skip + 1}"}
    redis.client.call("HSET", f"usher:user:{made[1]['id']}", "workspace_id", workspace)
    # Whatever is in a record makes no lines of its own.
    redis.client.call("HSET", f"usher:user:{made[0]['id']}", "name", "Ana\nB")
    assert any("Ana\\nB" in line for line in table(redis, "users"))


def test_meetings_and_bots(scene):
    redis, admin = scene
    user = BotsUser(admin)
    assert table(redis, "meetings", user.workspace_id) == ["no meetings"]
    assert table(redis, "bots", user.workspace_id) == ["no bots"]
    meetings = [user.send_bot() for _ in range(3)]
    first = listed(redis, "meetings", user.workspace_id, "--limit", "2")
    # Another one does not shift what follows.
    meetings.append(user.send_bot())
    second = listed(redis, "meetings", user.workspace_id, *first["next"].split())
    assert [meeting["number"] for meeting in first["meetings"] + second["meetings"]] == [
        meeting["id"] for meeting in meetings[2::-1]]
    assert second["next"] is None
    [last] = [meeting for meeting in second["meetings"] if meeting["number"] == meetings[0]["id"]]
    assert last == {
        "number": meetings[0]["id"], "id": meetings[0]["data"]["meeting_id"],
        "room": f"google_meet:{meetings[0]['native_meeting_id']}", "status": "INITIAL", "bot_status": "requested",
        "scheduled_at": None, "start_time": None, "end_time": None, "reason": None, "title": None}

    assert user.request("DELETE", user.bot_path(meetings[3])).status == 202
    bots = listed(redis, "bots", user.workspace_id)
    assert [bot["meeting"] for bot in bots["bots"]] == [meeting["id"] for meeting in meetings[:3]]
    assert {bot["status"] for bot in bots["bots"]} == {"requested"} and bots["next"] is None
    lines = table(redis, "bots", user.workspace_id, "--limit", "1")
    assert lines[0].split()[:4] == ["BOT_ID", "MEETING", "ROOM", "STATUS"]
    assert len(lines) == 3 and lines[2].startswith("more by --cursor ")
    # What ends meanwhile does not shift what follows.
    assert user.request("DELETE", user.bot_path(meetings[0])).status == 202
    rest = listed(redis, "bots", user.workspace_id, *lines[2].split()[2:])
    assert ([bot["meeting"] for bot in rest["bots"]], rest["next"]) == ([meeting["id"] for meeting in meetings[1:3]], None)


def test_workspaces(scene):
    redis, admin = scene
    users = [BotsUser(admin) for _ in range(3)]
    users[0].send_bot()
    found, options = [], []
    while True:
        page = listed(redis, "workspaces", "--limit", "2", *options)
        assert len(page["workspaces"]) <= 2
        found += page["workspaces"]
        if page["next"] is None:
            break
        options = page["next"].split()
    places = [[each["id"] for each in found].index(user.workspace_id) for user in users]
    assert places == sorted(places)
    first = found[places[0]]
    assert (first["meetings"], first["bots"], first["max_concurrent_bots"]) == (1, 1, 10)
    assert listed(redis, "workspaces", "--search", users[1].workspace_id)["workspaces"] == [found[places[1]]]
    assert listed(redis, "workspaces", "--search", first["name"].upper())["workspaces"].count(first) == 1
    assert table(redis, "workspaces", "--search", "no such name") == ["no workspaces"]


def test_keys_by_whatever_a_meeting_is_known(scene):
    redis, admin = scene
    user = BotsUser(admin)
    meeting = user.send_bot()
    room = f"google_meet:{meeting['native_meeting_id']}"
    keys = table(redis, "keys", meeting["data"]["meeting_id"])
    assert any(room in line for line in keys)
    link = f"https://meet.google.com/{meeting['native_meeting_id']}"
    bot = listed(redis, "bots", user.workspace_id)["bots"][0]["bot_id"]
    for words in ([meeting["id"]], [bot], [room], [link], [room, "--workspace", user.workspace_id]):
        assert table(redis, "keys", *words) == keys, words
    code, output, log = run_usher("keys", "google_meet:aaa-aaaa-aaa", "--redis", redis.url)
    assert (code, output) == (1, "") and "there is no meeting in google_meet:aaa-aaaa-aaa in any workspace" in log


def test_keys_of_what_another_hand_has_spoilt(scene):
    redis, admin = scene
    user = BotsUser(admin)
    meeting = user.send_bot()
    record = user.keys.meeting(meeting["data"]["meeting_id"])
    names = f"{BotsUser(admin).keys.workspace}:names"
    redis.client.call("SET", names, "odd")
    room = f"google_meet:{meeting['native_meeting_id']}"
    assert f"HGETALL '{record}'" in table(redis, "keys", room)
    redis.client.call("HDEL", record, "number")
    assert f"HGETALL '{record}'" in table(redis, "keys", meeting["data"]["meeting_id"])
    redis.client.call("DEL", record)
    redis.client.call("RPUSH", record, "odd")
    assert f"TYPE '{record}'" in table(redis, "keys", meeting["id"])
    redis.client.call("DEL", record, names)


def test_a_passcode_need_not_be_on_the_command_line(scene, tmp_path):
    redis, admin = scene
    user = BotsUser(admin)
    as_user = ("--user-id", str(user.user["id"]), "--redis", redis.url)

    def passcode_of(room):
        [meeting] = [each for each in user.request("GET", "/meetings").json["meetings"]
                     if each["native_meeting_id"] == room]
        return redis.client.call("HGET", user.keys.meeting(meeting["data"]["meeting_id"]), "passcode")

    (tmp_path / "passcode").write_text("secret1\n")
    code, _, log = run_usher("send", user.workspace_id, "zoom:12345678901", "--passcode-file", tmp_path / "passcode", *as_user)
    assert code == 0, log
    assert passcode_of("12345678901") == "secret1"
    # A program tells it, and takes its time; or standard input has it, or all of the link.
    slow = "sleep 0.3; printf secret"
    for room, command in (
            ("12345678902", f"$0 send $1 zoom:12345678902 --passcode-file <({slow}2) \"${{@:2}}\""),
            ("12345678903", f"({slow}3) | $0 send $1 zoom:12345678903 --passcode-file - \"${{@:2}}\""),
            ("12345678904", "echo 'https://zoom.us/j/12345678904?pwd=secret4' | $0 send $1 - \"${@:2}\"")):
        run = subprocess.run(["bash", "-c", command, BINARY, user.workspace_id, *as_user], capture_output=True, text=True,
                             timeout=300)
        assert run.returncode == 0, run.stderr
        assert passcode_of(room) == f"secret{room[-1]}"


@pytest.mark.parametrize("command", ["meetings", "bots"])
def test_a_workspace_that_is_not_there(scene, command):
    redis, _ = scene
    code, output, log = run_usher(command, "nobody", "--redis", redis.url)
    assert (code, output) == (1, "") and 'There is no workspace "nobody".' in log


def test_without_redis():
    code, output, log = run_usher("users", "--redis", "redis://127.0.0.1:1", "--redis-timeout-ms", "2000")
    assert (code, output) == (1, "") and "does not answer" in log


def act(scene, *arguments):
    """(exit code, answer, what was complained of)"""
    redis, _ = scene
    code, output, log = run_usher(*arguments, "--redis", redis.url)
    return code, json.loads(output) if output else None, log


def test_a_bot_is_sent_and_stopped(scene):
    _, admin = scene
    user = BotsUser(admin)
    as_user = ("--user-id", str(user.user["id"]))
    link = "https://meet.google.com/xyz-abcd-efg?authuser=0"
    code, sent, log = act(scene, "send", user.workspace_id, link, *as_user)
    assert code == 0, log
    [meeting] = user.request("GET", "/meetings").json["meetings"]
    assert sent == {"outcome": "sent", "room": "google_meet:xyz-abcd-efg", "meeting_id": meeting["data"]["meeting_id"],
                    "bot_id": sent["bot_id"]}
    assert (meeting["status"], meeting["user_id"]) == ("requested", user.user["id"])
    # One bot in a room, whoever asks; and the API says the same.
    code, nothing, log = act(scene, "send", user.workspace_id, "google_meet:xyz-abcd-efg", *as_user)
    assert (code, nothing) == (1, None) and "A bot is in this meeting already" in log
    assert user.request("POST", "/bots", {"meeting_url": link}).status == 409

    code, stopped, log = act(scene, "stop", user.workspace_id, link, *as_user)
    assert code == 0, log
    assert stopped == {**sent, "outcome": "ended"}
    [meeting] = user.request("GET", "/meetings").json["meetings"]
    assert meeting["status"] == "completed"
    code, nothing, log = act(scene, "stop", user.workspace_id, link, *as_user)
    assert (code, nothing) == (1, None) and "There is no active bot for this meeting." in log


def test_nobody_acts_in_anothers_workspace(scene):
    _, admin = scene
    user, other = BotsUser(admin), BotsUser(admin)
    for command in ("send", "stop"):
        code, nothing, log = act(scene, command, user.workspace_id, "google_meet:xyz-abcd-efg", "--user-id",
                                 str(other.user["id"]))
        assert (code, nothing) == (1, None) and "is no member of a workspace" in log
    admin.set_role(user.workspace_id, other.user["id"], "viewer")
    for command in ("send", "stop"):
        code, nothing, log = act(scene, command, user.workspace_id, "google_meet:xyz-abcd-efg", "--user-id",
                                 str(other.user["id"]))
        assert (code, nothing) == (1, None) and "needs a higher role" in log
    assert user.request("GET", "/meetings").json["meetings"] == []


def complete(*words):
    """What bash offers for the last of some words."""
    script = 'source <("$0" completion bash); complete -p usher >&2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))\n' \
        '_usher usher "${@: -1}" "${@: -2:1}"; printf "%s\\n" "${COMPREPLY[@]}"'
    run = subprocess.run(["bash", "-uc", script, BINARY, *words], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0 and run.stderr == "complete -o default -F _usher usher\n", run.stderr
    return run.stdout.split()


@pytest.mark.parametrize("words, offered", [
    (["usher", "se"], ["serve", "send"]),
    (["usher", "bots", "--cur"], ["--cursor"]),
    (["usher", "bots", "--port"], []),
    (["usher", "serve", "--log-l"], ["--log-level"]),
    (["usher", "serve", "--log-level", "w"], ["warning"]),
    (["usher", "serve", "--log-level", "=", "de"], ["debug"]),
    (["usher", "serve", "--log-level", "="], ["debug", "info", "warning", "error"]),
    (["usher", "serve", "--port", "8"], []),
    (["usher", "admin", "create-u"], ["create-user"]),
    (["usher", "admin", "set-member", "--role", "ma"], ["manager"]),
    (["usher", "calendars", "ch"], ["check"]),
    (["usher", "completion", ""], ["bash", "zsh", "fish", "--help"]),
    (["usher", "nonsense", "--"], []),
])
def test_bash_completes(words, offered):
    assert complete(*words) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_understands_what_completes_in_it(shell):
    assert shutil.which(shell), f"{shell} is not installed"
    code, script, log = run_usher("completion", shell)
    assert code == 0, log
    checked = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, timeout=300)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_fish_completes():
    code, script, log = run_usher("completion", "fish")
    assert code == 0, log

    def offered(line):
        run = subprocess.run(["fish", "--no-config", "-c", f"{script}\ncomplete -C '{line}'"], capture_output=True, text=True,
                             timeout=300)
        return [each.split("\t")[0] for each in run.stdout.splitlines()]

    assert offered("usher se") == ["send", "serve"]
    assert offered("usher serve --log-level de") == ["debug"]
    assert "--cursor" in offered("usher bots --c") and "--port" not in offered("usher bots --p")
