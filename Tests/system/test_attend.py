"""`usher attend` in meetings of the lab, in a real Chromium: how each of them ends, and what is left of it."""

import base64
import json
import os
import resource
import signal

import pytest

from harness import wire
from harness.lab import AttendingBot, Lab
from harness.simulated_bot import Callbacks
from harness.waiting import wait_for
from harness.workspace import random_meet_code


@pytest.fixture(scope="module")
def redis(module_servers):
    return module_servers.redis()


@pytest.fixture
def attend(servers, lab, redis, callbacks):
    """Starts a bot on its way to a room of its own; the two."""

    def start(mode="lobby", lab_url=lab.url, leave=None, config=None, **settings):
        room = lab.room(random_meet_code(), mode)
        config = {"nativeMeetingId": room.code, "transcribeEnabled": False,
                  **({"automaticLeave": leave} if leave else {}), **(config or {})}
        bot = servers.add(AttendingBot(servers.folder, redis.url, callbacks, lab_url, config=config, **settings))
        return bot.start(), room

    return start


def check_end(bot, callbacks, status, reason, stage=None, exit_code=0):
    """The bot has ended so, has said so, and has left nothing behind."""
    assert bot.wait() == exit_code, bot.log
    report = callbacks.reports[-1]
    assert (report["status"], report.get("completion_reason")) == (status, reason), (report, bot.log)
    assert report.get("failure_stage") == stage and report["exit_code"] == exit_code
    for each in callbacks.reports:
        wire.check_report(each)
    wire.check_sequence(callbacks.statuses)
    wait_for(lambda: not bot.leftovers, f"the end of {bot.leftovers}", interval_s=0.05)
    return report


def in_the_room(bot, room, callbacks):
    room.admit()
    bot.wait_for_status(callbacks, "active")


def tell(redis, bot, command):
    wait_for(lambda: redis.client.call("PUBLISH", f"bot_commands:meeting:{bot.number}", json.dumps(command)) == 1,
             "a bot that listens")


def test_it_is_let_in_and_leaves_when_it_is_told_to(attend, redis, callbacks):
    bot, room = attend()
    bot.wait_for_status(callbacks, "awaiting_admission")
    assert room.state("Usher") == "asking"
    in_the_room(bot, room, callbacks)
    tell(redis, bot, {"action": "leave"})
    check_end(bot, callbacks, "completed", "stopped")
    assert callbacks.statuses == ["joining", "awaiting_admission", "active", "completed"]
    # By the page's own button: a page that is only gone is noticed by the lab a while later.
    assert room.state("Usher") == "left"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_makes_it_leave(attend, callbacks, number):
    bot, room = attend("open")
    bot.wait_for_status(callbacks, "active")
    bot.signal(number)
    check_end(bot, callbacks, "completed", "stopped")
    assert callbacks.statuses == ["joining", "active", "completed"] and room.state("Usher") == "left"


@pytest.mark.parametrize("line", [
    "You've been removed from the meeting", "Your host ended the meeting for everyone", "Sign in to join this meeting",
    "Someone in the call denied your request to join"])
def test_what_stands_in_the_chat_ends_nothing(attend, redis, callbacks, line):
    bot, room = attend("open", leave={"noOneJoinedTimeout": 5000})
    bot.wait_for_status(callbacks, "active")
    room.post("chat", line=line)
    check_end(bot, callbacks, "completed", "startup_alone")


def test_a_page_that_hangs_holds_up_no_leave(attend, redis, callbacks):
    bot, room = attend("open")
    bot.wait_for_status(callbacks, "active")
    room.do("hang", room.wait_for("Usher", "in"))
    tell(redis, bot, {"action": "leave"})
    check_end(bot, callbacks, "completed", "stopped")


def test_a_stop_in_the_lobby(attend, redis, callbacks):
    bot, room = attend()
    bot.wait_for_status(callbacks, "awaiting_admission")
    tell(redis, bot, {"action": "leave"})
    assert bot.wait() == 0 and room.wait_for("Usher", "left")
    wait_for(lambda: not bot.leftovers, "the end of all that it started", interval_s=0.05)


def test_a_stop_while_it_joins(attend, callbacks):
    bot, room = attend()
    bot.wait_for_status(callbacks, "joining")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0 and "active" not in callbacks.statuses
    wait_for(lambda: not bot.leftovers, "the end of all that it started", interval_s=0.05)
    wait_for(lambda: room.state("Usher") in (None, "left"), "the lab's noticing that its page is gone")


def test_its_profile_is_a_copy(attend, servers, callbacks):
    folder = os.path.join(servers.folder, "profile")
    os.makedirs(os.path.join(folder, "Default"))
    for name in ("marker", "Default/marker", "SingletonLock"):
        with open(os.path.join(folder, name), "w") as file:
            file.write(name)
    bot, _ = attend("open", ATTEND_PROFILE=folder)
    bot.wait_for_status(callbacks, "active")
    [own] = [name for name in os.listdir(bot.temporary) if not name.endswith(".lock")]
    for name in ("marker", "Default/marker"):
        with open(os.path.join(bot.temporary, own, name)) as file:
            assert file.read() == name
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0
    assert sorted(os.listdir(folder)) == ["Default", "SingletonLock", "marker"]
    assert os.listdir(os.path.join(folder, "Default")) == ["marker"]


def test_it_is_denied(attend, callbacks):
    bot, room = attend()
    bot.wait_for_status(callbacks, "awaiting_admission")
    room.do("deny", room.wait_for("Usher", "asking"))
    report = check_end(bot, callbacks, "failed", "awaiting_admission_rejected", "awaiting_admission", 1)
    assert "denied your request to join" in report["reason"]


def test_nobody_lets_it_in(attend, callbacks):
    bot, room = attend(leave={"waitingRoomTimeout": 1500})
    check_end(bot, callbacks, "failed", "awaiting_admission_timeout", "awaiting_admission", 1)
    assert room.state("Usher") == "left"


def test_it_is_removed(attend, callbacks):
    bot, room = attend()
    room.add_ghost("Ana")
    in_the_room(bot, room, callbacks)
    room.do("remove", room.wait_for("Usher", "in"))
    check_end(bot, callbacks, "completed", "evicted")


def test_the_host_ends_the_meeting(attend, callbacks):
    bot, room = attend()
    room.add_ghost("Ana")
    in_the_room(bot, room, callbacks)
    room.post("end")
    check_end(bot, callbacks, "completed", "left_alone")


def test_all_others_leave(attend, callbacks):
    bot, room = attend(leave={"everyoneLeftTimeout": 1000, "noOneJoinedTimeout": 3_600_000})
    ghost = room.add_ghost("Ana")
    in_the_room(bot, room, callbacks)
    # It has seen her before she goes: the page has her by the time that it is in, and it looks every quarter of a second.
    wait_for(lambda: bot.said("In the room"), "its look at the room")
    room.do("leave", ghost)
    check_end(bot, callbacks, "completed", "left_alone")
    assert room.state("Usher") == "left"


def test_nobody_comes(attend, callbacks):
    bot, room = attend("open", leave={"noOneJoinedTimeout": 1000, "everyoneLeftTimeout": 3_600_000})
    check_end(bot, callbacks, "completed", "startup_alone")
    assert room.state("Usher") == "left"


def test_it_stays_no_longer_than_it_may(attend, callbacks):
    bot, room = attend("open", ATTEND_LONGEST_MS=2000)
    check_end(bot, callbacks, "completed", "max_bot_time_exceeded")


@pytest.mark.parametrize("mode, reason, text", [
    ("sign_in", "auth_session_missing", "Sign in to join this meeting"),
    ("refused", "join_failure", "You can't join this video call"),
    ("unanswered", "awaiting_admission_timeout", "No one responded to your request"),
])
def test_the_page_refuses_it(attend, callbacks, mode, reason, text):
    bot, _ = attend(mode)
    report = check_end(bot, callbacks, "failed", reason, "joining", 1)
    assert text in report["reason"]


def test_a_page_that_it_does_not_know_is_told_of(attend, servers, callbacks):
    bot, _ = attend("unknown", ATTEND_PAGE_MS=20_000, SCREENSHOTS=servers.folder)
    report = check_end(bot, callbacks, "failed", "join_failure", "joining", 1)
    assert "lobby" in report["reason"] and "Elsewhere" in report["reason"]
    with open(os.path.join(servers.folder, f"{bot.bot_id}.jpg"), "rb") as file:
        assert base64.b64decode(report["screenshot"]["image"]) == file.read()
    assert "Elsewhere" in report["screenshot"]["outline"]


def test_there_is_no_page(attend, callbacks):
    # Port 9 of loopback is nobody's.
    bot, _ = attend(lab_url="http://127.0.0.1:9")
    report = check_end(bot, callbacks, "failed", "join_failure", "joining", 1)
    assert "net::ERR" in report["reason"]


def test_the_network_is_lost(attend, servers, redis, callbacks):
    lab = servers.add(Lab(servers.folder, "lab-that-dies")).start()
    room = lab.room("gone-gone-gone")
    bot = servers.add(AttendingBot(servers.folder, redis.url, callbacks, lab.url, config={
        "nativeMeetingId": room.code, "transcribeEnabled": False, "reconnectionIntervalMs": 1000})).start()
    in_the_room(bot, room, callbacks)
    lab.kill()
    report = check_end(bot, callbacks, "failed", None, "active", 1)
    assert "You lost your network connection" in report["reason"]


def test_its_browser_is_killed(attend, callbacks):
    bot, room = attend("open")
    bot.wait_for_status(callbacks, "active")
    [browser], _ = bot.browser
    os.kill(browser, signal.SIGKILL)
    report = check_end(bot, callbacks, "failed", None, "active", 1)
    assert "killed by signal 9" in report["reason"]
    room.wait_for("Usher", "left")


def test_its_page_crashes(attend, callbacks):
    bot, _ = attend("open")
    bot.wait_for_status(callbacks, "active")
    pages = wait_for(lambda: bot.browser[1], "the process of its page")
    for page in pages:
        os.kill(page, signal.SIGKILL)
    report = check_end(bot, callbacks, "failed", None, "active", 1)
    assert "crashed" in report["reason"]


def test_it_is_killed_and_the_next_bot_of_the_machine_tidies_up(attend, servers, callbacks, redis, lab):
    bot, room = attend("open")
    bot.wait_for_status(callbacks, "active")
    assert len(bot.leftovers) > 2
    bot.kill()
    # Its folder is all that it leaves.
    wait_for(lambda: bot.leftovers == os.listdir(bot.temporary), "the end of its browser", interval_s=0.05)
    room.wait_for("Usher", "left")
    assert bot.leftovers
    other = AttendingBot(servers.folder, redis.url, callbacks, lab.url, name="other", config={
        "nativeMeetingId": "other-room-xyz", "transcribeEnabled": False})
    other.environment["TMPDIR"] = other.temporary = bot.temporary
    servers.add(other).start()
    other.wait_for_status(callbacks, "awaiting_admission")
    assert not any(bot.bot_id in name for name in os.listdir(bot.temporary))
    other.signal(signal.SIGTERM)
    assert other.wait() == 0


def test_without_a_browser_it_says_what_to_do(attend, callbacks):
    bot, _ = attend(CHROMIUM="/nowhere/chromium")
    assert bot.wait() == 2
    assert "apt-get install chromium" in bot.log and "--chromium" in bot.log and callbacks.reports == []


def test_what_the_machine_is_short_of_is_no_failure(servers, lab, redis):
    """The runner sends another one."""
    def answer(body, number):
        # Before it starts its browser.
        resource.prlimit(bot.pid, resource.RLIMIT_NOFILE, (3, 3))
        return 200

    reports = Callbacks(answer)
    room = lab.room(random_meet_code(), "lobby")
    bot = servers.add(AttendingBot(servers.folder, redis.url, reports, lab.url, config={"nativeMeetingId": room.code}))
    bot.start()
    assert bot.wait() == 75
    reports.end()
    assert reports.statuses == ["joining"] and "Too many open files" in bot.log


@pytest.mark.parametrize("complaint, text", [
    ("No usable sandbox! If you want to live dangerously", "apt-get install chromium-sandbox"),
    ("Something else is wrong", "Something else is wrong"),
])
def test_a_browser_that_gives_up_is_quoted(attend, callbacks, servers, complaint, text):
    browser = os.path.join(servers.folder, "browser")
    with open(browser, "w") as file:
        file.write(f"#!/bin/sh\necho '[1:1:FATAL:content/main.cc:1] {complaint}' >&2\nkill -ABRT $$\n")
    os.chmod(browser, 0o755)
    bot, _ = attend(CHROMIUM=browser)
    report = check_end(bot, callbacks, "failed", "join_failure", "joining", 1)
    assert text in report["reason"] and "killed by signal 6" in report["reason"]
