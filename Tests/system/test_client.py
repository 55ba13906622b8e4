"""The real client of the Bots API, `vexa-client` from PyPI, unchanged: every method of it against the nodes of
`usher up`, with its runner and its simulated bots."""

import contextlib
import re
import secrets

import pytest
from vexa_client import VexaClient, VexaClientError

from harness.node import ADMIN_KEY
from harness.played_bot import PlayedBot
from harness.up import Up
from harness.waiting import wait_for
from harness.workspace import random_meet_code

MEETING = {
    "id", "user_id", "platform", "native_meeting_id", "constructed_meeting_url", "status", "bot_container_id",
    "start_time", "end_time", "completion_reason", "failure_stage", "data", "created_at", "updated_at",
}
RUNNING = {
    "container_id", "meeting_id", "container_name", "platform", "native_meeting_id", "status", "normalized_status",
    "meeting_status", "created_at", "start_time", "labels", "data",
}
TRANSCRIPT = {
    "id", "platform", "native_meeting_id", "constructed_meeting_url", "status", "start_time", "end_time", "notes",
    "recordings", "data", "segments",
}
SEGMENT = {
    "start", "end", "text", "language", "speaker", "completed", "segment_id", "created_at", "absolute_start_time",
    "absolute_end_time",
}
USER = {"id", "email", "name", "image_url", "max_concurrent_bots", "data", "created_at"}


@pytest.fixture(scope="module")
def up(module_servers):
    """`usher up` as a newcomer has it, but that its bots speak faster, and wait for longer before they are let in, so that
    there is time to ask for what they refuse until then."""
    folder = module_servers.folder
    return module_servers.add(Up(folder, environment={
        "USHER_SIMULATE_SEGMENT_MS": "100", "USHER_SIMULATE_LOBBY_MS": "5000"})).start()


@pytest.fixture
def administrator(up):
    return VexaClient(base_url=url_of(up), admin_key=re.search(r"admin key +(\S+)", up.output).group(1))


@pytest.fixture
def client(administrator, up):
    """A client of a new user."""
    return client_of_new_user(administrator, up)


def url_of(server):
    return f"http://127.0.0.1:{server.port}"


def client_of_new_user(administrator, server):
    made = administrator.create_user_and_set_id(f"user-{secrets.token_hex(8)}@example.com", max_concurrent_bots=5)
    client = VexaClient(base_url=url_of(server), user_id=made["id"])
    client.workspace_id = made["workspace_id"]
    client.set_api_key(administrator.create_token()["token"])
    return client


def wait_for_status(client, code, status):
    wait_for(lambda: client.get_meeting_by_id("google_meet", code)["status"] == status, f"the status {status}")


def test_whole_life_of_a_bot(client):
    """A simulated bot that nobody helps."""
    code = random_meet_code()

    def languages():
        return [segment["language"] for segment in client.get_transcript("google_meet", code)["segments"]]

    meeting = client.request_bot("google_meet", code, language="en", bot_name="Notes", task="transcribe")
    assert set(meeting) == MEETING
    assert meeting["status"] == "requested"
    assert meeting["native_meeting_id"] == code and meeting["platform"] == "google_meet"
    assert meeting["constructed_meeting_url"] == f"https://meet.google.com/{code}"
    assert meeting["user_id"] == client.user_id and isinstance(meeting["id"], int)
    assert meeting["bot_container_id"] is None and meeting["start_time"] is None and meeting["end_time"] is None

    wait_for_status(client, code, "active")
    (running,) = client.get_running_bots_status()
    assert set(running) == RUNNING and running["status"] == "active" and running["meeting_id"] == meeting["id"]
    wait_for(lambda: "en" in languages(), "a segment in English")
    assert client.update_bot_config("google_meet", code, language="es")["message"]
    wait_for(lambda: "es" in languages(), "a segment in Spanish")
    (shown,) = client.get_meetings()
    assert set(shown) == MEETING and shown["status"] == "active" and shown["data"]["language"] == "es"

    assert client.stop_bot("google_meet", code)["message"]
    wait_for_status(client, code, "completed")
    ended = client.get_meeting_by_id("google_meet", code)
    assert ended["completion_reason"] == "stopped" and ended["end_time"] >= ended["start_time"]
    assert client.get_running_bots_status() == []
    with pytest.raises(VexaClientError, match="404.*no active bot"):
        client.stop_bot("google_meet", code)

    transcript = client.get_transcript("google_meet", code, meeting_id=meeting["id"])
    assert set(transcript) >= TRANSCRIPT and transcript["id"] == meeting["id"]
    assert transcript["status"] == "completed"
    assert all(set(segment) >= SEGMENT for segment in transcript["segments"])
    starts = [segment["absolute_start_time"] for segment in transcript["segments"]]
    assert starts == sorted(starts)


def test_every_stage_of_a_bot(redis, nodes):
    """A bot that the test plays, so that each stage lasts as long as it is looked at; the user and the administrator
    are on different nodes."""
    administrator = VexaClient(base_url=url_of(nodes[0]), admin_key=ADMIN_KEY)
    client = client_of_new_user(administrator, nodes[1])
    code = random_meet_code()
    meeting = client.request_bot("google_meet", code)
    bot = PlayedBot(redis, client.workspace_id, meeting["data"]["meeting_id"])
    for status in ("joining", "awaiting_admission", "needs_help", "active"):
        bot.tell(nodes[0], status)
        (running,) = client.get_running_bots_status()
        assert set(running) == RUNNING
        assert running["status"] == running["meeting_status"] == status
        assert running["meeting_id"] == meeting["id"]
        assert running["container_id"] == running["container_name"] == bot.container
        assert running["native_meeting_id"] == code and running["platform"] == "google_meet"
        assert all(isinstance(value, str) for value in running["labels"].values())
    assert running["start_time"].endswith("Z")

    assert client.update_bot_config("google_meet", code, language="es", task="translate")["message"]
    (shown,) = client.get_meetings()
    assert set(shown) == MEETING
    assert shown["status"] == "active" and shown["bot_container_id"] == bot.container
    assert shown["data"]["language"] == "es" and shown["data"]["task"] == "translate"

    assert client.stop_bot("google_meet", code)["message"]
    assert client.get_meeting_by_id("google_meet", code)["status"] == "stopping"
    bot.tell(nodes[0], "completed", completion_reason="stopped")
    ended = client.get_meeting_by_id("google_meet", code)
    assert ended["status"] == "completed" and ended["completion_reason"] == "stopped"
    assert ended["end_time"] >= ended["start_time"]
    assert client.get_running_bots_status() == []


def test_request_bot_from_url(client):
    code = random_meet_code()
    assert client.request_bot_from_url(f"https://meet.google.com/{code}")["native_meeting_id"] == code
    teams = client.request_bot_from_url("https://teams.live.com/meet/9398850880426?p=RBZCWdxyp85TpcKna8")
    assert teams["platform"] == "teams" and teams["native_meeting_id"] == "9398850880426"
    assert "passcode" not in teams["data"]


def test_errors_reach_the_client(client):
    """It shows the body's `detail`."""
    code = random_meet_code()
    first = client.request_bot("google_meet", code)
    # While it is not in its room.
    with pytest.raises(VexaClientError, match="404"):
        client.update_bot_config("google_meet", code, language="es")
    with pytest.raises(VexaClientError, match=f"409.*see meeting {first['id']}"):
        client.request_bot("google_meet", code)
    with pytest.raises(VexaClientError, match="400.*abc-defg-hij"):
        client.request_bot("google_meet", "not-a-code")
    with pytest.raises(VexaClientError, match="422.*task must be"):
        client.request_bot("google_meet", random_meet_code(), task="sing")
    client.set_api_key("unknown")
    with pytest.raises(VexaClientError, match="401.*API key"):
        client.get_meetings()


def test_meeting_data(client):
    code = random_meet_code()
    meeting = client.request_bot("google_meet", code)
    fields = {
        "name": "Weekly \"sync\"", "participants": ["Ann", "Bohumil Ř."], "languages": ["en", "cs"],
        "notes": "Line one\nline two"}
    changed = client.update_meeting_data("google_meet", code, **fields)
    assert {name: changed["data"][name] for name in fields} == fields
    renamed = client.update_meeting_data("google_meet", code, name="Monthly")
    assert renamed["data"]["name"] == "Monthly" and renamed["data"]["notes"] == fields["notes"]
    shown = client.get_meeting_by_id("google_meet", code)
    assert client.get_meeting_metadata(shown) == renamed["data"]
    assert client.get_meeting_participants(shown) == fields["participants"]
    assert client.get_meeting_languages(shown) == fields["languages"]

    with pytest.raises(VexaClientError, match="409"):
        client.delete_meeting("google_meet", code)
    client.stop_bot("google_meet", code)
    wait_for_status(client, code, "completed")

    def deleted():
        # Its record may not be finished at once.
        with contextlib.suppress(VexaClientError):
            return client.delete_meeting("google_meet", code)["message"]
    wait_for(deleted, "the deletion")
    bare = client.get_meeting_by_id("google_meet", code)
    assert bare["id"] == meeting["id"] and bare["status"] == "completed"
    assert not {"name", "participants", "languages", "notes"} & set(bare["data"])
    with pytest.raises(VexaClientError, match="404"):
        client.delete_meeting("google_meet", random_meet_code())


def test_webhook(client, administrator):
    url = "https://hooks.example.com/usher?team=1"
    user = client.set_webhook_url(url)
    assert USER <= set(user) and user["id"] == client.user_id
    assert user["data"]["webhook_url"] == url
    for bad in ("ftp://example.com/", "https://user:pw@example.com/", "https://", "example.com", "https://a b/"):
        with pytest.raises(VexaClientError, match="422.*webhook_url"):
            client.set_webhook_url(bad)


def test_users(administrator):
    email = f"user-{secrets.token_hex(8)}@example.com"
    made = administrator.create_user(email, name="Ann", image_url="https://example.com/a.png", max_concurrent_bots=3)
    assert USER <= set(made)
    assert (made["email"], made["name"], made["max_concurrent_bots"]) == (email, "Ann", 3)
    assert administrator.create_user(email)["id"] == made["id"]
    assert administrator.get_user_by_email(email) == made

    changed = administrator.update_user(made["id"], name="Anna", image_url="https://example.com/b.png",
                                        max_concurrent_bots=7)
    assert (changed["name"], changed["image_url"], changed["max_concurrent_bots"]) == (
        "Anna", "https://example.com/b.png", 7)
    assert administrator.get_user_by_email(email) == changed

    found, skip = [], 0
    while page := administrator.list_users(skip=skip, limit=50):
        assert len(page) <= 50
        found += page
        skip += len(page)
    ids = [user["id"] for user in found]
    assert ids == sorted(set(ids)) and changed in found
    with pytest.raises(VexaClientError, match="404"):
        administrator.get_user_by_email("nobody@example.com")
    with pytest.raises(VexaClientError, match="404"):
        administrator.update_user(999_999_999, name="Nobody")


def test_token(administrator, client):
    token = administrator.create_token(client.user_id)
    assert token["user_id"] == client.user_id and token["id"] and token["created_at"].endswith("Z")
    client.set_api_key(token["token"])
    assert client.get_meetings() == []
    administrator._request("DELETE", f"/admin/tokens/{token['id']}", api_type="admin")
    with pytest.raises(VexaClientError, match="401"):
        client.get_meetings()
    with pytest.raises(VexaClientError, match="404"):
        administrator.create_token(999_999_999)
