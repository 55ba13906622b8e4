"""The data of Google Meet's and MS Teams' pages, against stand-ins of them (Tests/lab): they are not the real pages."""

import json
import os
import signal
import subprocess
import urllib.parse

import pytest

from harness.lab import AttendingBot, Lab
from harness.node import REPOSITORY
from harness.speech import CHROMIUM
from harness.waiting import wait_for

FOLDER = os.path.join(REPOSITORY, "Sources", "AttendingBot", "Platforms")


def data(platform):
    with open(os.path.join(FOLDER, f"{platform}.json")) as file:
        return json.load(file)


def texts(platform, sign):
    return data(platform)["signs"].get(sign, {}).get("texts", [])


@pytest.fixture(scope="module")
def lab(module_servers):
    """What serves the stand-ins."""
    return module_servers.add(Lab(module_servers.folder, sounds=os.path.join(REPOSITORY, "Tests", "lab"))).start()


@pytest.fixture(scope="module")
def redis(module_servers):
    return module_servers.redis()


@pytest.fixture
def attend(servers, lab, redis, callbacks):
    def start(platform, **query):
        query = urllib.parse.urlencode({"told": callbacks.url, **query})
        url = f"{lab.url}/files/like_{platform}.html?{query}"
        return servers.add(AttendingBot(servers.folder, redis.url, callbacks, None, config={
            "platform": platform, "meetingUrl": url, "transcribeEnabled": False})).start()

    return start


@pytest.mark.parametrize("platform, sign, text, reason", [
    (platform, sign, text, reason) for platform in ("google_meet", "teams") for sign, reason in (
        ("denied", "awaiting_admission_rejected"), ("refused", "awaiting_admission_rejected"),
        ("unanswered", "awaiting_admission_timeout")) for text in texts(platform, sign)])
def test_what_ends_the_waiting(attend, callbacks, platform, sign, text, reason):
    bot = attend(platform, show=text, at="lobby")
    assert bot.wait() == 1, bot.log
    report = callbacks.reports[-1]
    assert (report["status"], report["completion_reason"], report["failure_stage"]) == (
        "failed", reason, "awaiting_admission")
    assert text in report["reason"]


@pytest.mark.parametrize("text", texts("teams", "help"))
def test_what_needs_a_person(attend, callbacks, text):
    bot = attend("teams", show=text, at="lobby")
    bot.wait_for_status(callbacks, "needs_help")
    assert callbacks.statuses == ["joining", "awaiting_admission", "needs_help"]
    # A JPEG, of which the first three bytes are always these.
    assert callbacks.reports[-1]["screenshot"]["image"].startswith("/9j/")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0


def test_a_wall_is_known_by_its_address(servers, lab, redis, callbacks):
    """The real one's address cannot be had here: this is the same data with another."""
    folder = os.path.join(servers.folder, "platforms")
    os.makedirs(folder)
    wall = f"{lab.url}/files/like_google_meet.html?wall"
    with open(os.path.join(folder, "google_meet.json"), "w") as file:
        json.dump({**data("google_meet"), "signs": {**data("google_meet")["signs"], "sign_in": {"addresses": [wall]}}}, file)
    bot = servers.add(AttendingBot(servers.folder, redis.url, callbacks, None, PLATFORMS=folder, config={
        "platform": "google_meet", "meetingUrl": f"{wall}=1", "transcribeEnabled": False})).start()
    assert bot.wait() == 1, bot.log
    assert callbacks.reports[-1]["completion_reason"] == "auth_session_missing"


@pytest.mark.parametrize("platform, text, reason", [
    *[("google_meet", text, "evicted") for text in texts("google_meet", "removed")],
    *[("google_meet", text, "left_alone") for text in texts("google_meet", "ended")],
    ("google_meet", "You\u2019ve been removed from the meeting", "evicted"), ("teams", "removed", "evicted"),
])
def test_what_ends_the_stay(attend, callbacks, platform, text, reason):
    bot = attend(platform, show=text, at="room")
    assert bot.wait() == 0, bot.log
    assert callbacks.statuses == ["joining", "awaiting_admission", "active", "completed"]
    assert callbacks.reports[-1]["completion_reason"] == reason


@pytest.mark.parametrize("platform, text", [
    (platform, text) for platform in ("google_meet", "teams") for text in texts(platform, "lobby")])
def test_what_the_lobby_says(attend, callbacks, platform, text):
    bot = attend(platform, lobby=text, stay="")
    bot.wait_for_status(callbacks, "awaiting_admission")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0


@pytest.mark.parametrize("label", data("google_meet")["steps"]["join"]["labels"])
def test_each_button_that_joins(attend, callbacks, label):
    bot = attend("google_meet", join=label)
    bot.wait_for_status(callbacks, "active")
    bot.signal(signal.SIGTERM)
    assert bot.wait() == 0


def selectors(value):
    """All that are selectors in a platform's data."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "selectors":
                yield from inner
            elif key == "people":
                yield from inner.values()
            else:
                yield from selectors(inner)


@pytest.mark.parametrize("platform", ["google_meet", "teams", "page"])
def test_every_selector_can_be_read(servers, platform):
    """A selector that no browser understands finds nothing, for ever."""
    wanted = list(selectors(data(platform)))
    assert len(wanted) >= 5

    def broken(selectors):
        page = os.path.join(servers.folder, "selectors.html")
        with open(page, "w") as file:
            file.write("<script>document.title = JSON.stringify(" + json.dumps(selectors) + """.filter((each) => {
                try { document.querySelector(each); return false; } catch { return true; }
            }));</script>""")
        dump = subprocess.run([
            CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            f"--user-data-dir={servers.folder}/profile", "--dump-dom", f"file://{page}"], capture_output=True, text=True,
            timeout=120, env={"HOME": servers.folder, "PATH": os.environ["PATH"]}).stdout
        return json.loads(dump.partition("<title>")[2].partition("</title>")[0])

    assert broken(wanted) == []
    assert broken(["[data-x=]"]) == ["[data-x=]"]
