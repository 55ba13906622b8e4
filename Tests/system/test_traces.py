"""Logs and traces: one id finds a bot in every log, its environment, its reports and the events; and no secret is in any
of them."""

import json
import re
import secrets

import pytest

from harness.bots_user import BotsUser
from harness.runner import processes_of
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code

FOREIGN = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{FOREIGN}-b7ad6b7169203331-01"
PASSCODE = f"passcode-{secrets.token_hex(8)}"


class Scene:
    def __init__(self, servers):
        self.redis_server = servers.redis()
        self.redis = self.redis_server.client
        self.nodes = [servers.node(self.redis_server, LOG_LEVEL="debug") for _ in range(2)]
        # Bots report to the second node, and users ask the first one.
        self.runner = servers.runner(self.redis_server, self.nodes[1], LOG_LEVEL="debug", BOT_OUTPUT="show")
        self.user = BotsUser(Admin(self.nodes[0]))

    def lines(self, *processes):
        """All JSON lines of the logs, but for one that is being written; a line that is none fails."""
        return [json.loads(line) for process in processes for line in process.log.rpartition("\n")[0].splitlines()]

    def send(self, headers=(), **fields):
        """A bot of the Bots API; its answer and its meeting."""
        body = {"platform": "google_meet", "native_meeting_id": random_meet_code(), **fields}
        answer = self.user.request("POST", "/bots", body, headers={**self.user.headers, **dict(headers)})
        assert answer.status == 201, answer
        return answer, answer.json

    def trace_of(self, meeting):
        """What the bot's record says."""
        return self.redis.hash(self.user.keys.bot(self.user.bot_id(self.redis, meeting)))["traceparent"]

    def life(self, meeting):
        """Lets a bot live, talk, and be stopped."""
        self.user.wait_for_status(meeting, "active")
        bot_id = self.user.bot_id(self.redis, meeting)
        [process] = processes_of(bot_id)
        with open(f"/proc/{process}/environ") as file:
            environment = dict(entry.partition("=")[::2] for entry in file.read().split("\0") if entry)
        texts = wait_for(lambda: self.texts(meeting), "a transcript", interval_s=0.05)
        answer = self.user.request("DELETE", self.user.bot_path(meeting))
        assert answer.status == 202, answer
        self.user.wait_for_status(meeting, "completed")
        wait_for(lambda: [line for line in self.runner.said("A bot has ended") if line["bot_id"] == bot_id],
                 "the runner's word on the bot's end", interval_s=0.05)
        return bot_id, environment, texts

    def texts(self, meeting):
        answer = self.user.request("GET", f"/transcripts/{meeting['platform']}/{meeting['native_meeting_id']}")
        return [segment["text"] for segment in answer.json["segments"] if segment["completed"]]


@pytest.fixture(scope="module")
def scene(module_servers):
    return Scene(module_servers)


def test_one_trace_is_found_in_every_log_the_environment_the_reports_and_the_events(scene):
    asked = {"traceparent": PARENT, "tracestate": "congo=t61rcWkgMzE", "X-Request-Id": "the-request-of-this-test"}
    answer, meeting = scene.send(asked, passcode=PASSCODE)
    assert answer.header("X-Request-Id") == "the-request-of-this-test"
    # The caller's trace, of which the request is the parent now.
    parent = scene.trace_of(meeting)
    assert re.fullmatch(f"00-{FOREIGN}-[0-9a-f]{{16}}-01", parent) and parent != PARENT
    bot_id, environment, texts = scene.life(meeting)
    assert (environment["TRACEPARENT"], environment["TRACESTATE"]) == (parent, asked["tracestate"])
    assert "trace" not in environment["VEXA_BOT_CONFIG"].lower()

    [accepted] = scene.nodes[0].says("Dispatch accepted", bot_id=bot_id)
    assert (accepted["request_id"], accepted["trace_id"]) == ("the-request-of-this-test", FOREIGN)
    events = scene.user.events(scene.redis, meeting)
    assert [event["what"] for event in events] == [
        "dispatched", "joining", "awaiting_admission", "active", "stopping", "completed", "finalised"]
    assert {event["trace_id"] for event in events} == {FOREIGN}

    # One id finds the whole life, in the logs of both nodes, of the runner and of the bot.
    def messages(*processes):
        return [line["message"] for line in scene.lines(*processes) if line.get("trace_id") == FOREIGN]

    def reports():
        return [line for line in scene.lines(scene.nodes[1])
                if line["message"] == "request" and line["path"] == f"/internal/bots/{bot_id}/status"]
    # Each line is written soon after what it tells of.
    wait_for(lambda: "Stop asked" in messages(scene.nodes[0]), "the first node's word on the stop")
    told = messages(scene.nodes[0])
    assert told.count("Dispatch accepted") == 1 and told.count("Stop asked") == 1
    wait_for(lambda: messages(scene.nodes[1]).count("Bot reported") >= 4 and len(reports()) >= 4, "a line of each report")
    assert messages(scene.nodes[1]).count("Bot reported") == 4
    # The bot has sent the trace with each: the line of the request itself has it from there.
    assert len(reports()) == 4 and {line["trace_id"] for line in reports()} == {FOREIGN}
    wanted = {"Claimed a dispatch", "Started a bot", "A bot has ended", "simulated bot: Reported"}
    wait_for(lambda: wanted <= set(messages(scene.runner)), f"the runner's saying {wanted}")

    # And none of them has a secret in it, or what was said.
    internal = json.loads(environment["VEXA_BOT_CONFIG"])
    logs = "".join(process.log + process.output for process in [*scene.nodes, scene.runner])
    assert internal["passcode"] == PASSCODE and internal["internalSecret"] and texts
    for secret in (scene.user.token, PASSCODE, internal["internalSecret"], scene.user.admin.key, *texts):
        assert secret not in logs


@pytest.mark.parametrize("field", [None, "garbage", PARENT.upper(), f"{PARENT}-more", PARENT.replace(FOREIGN, "0" * 32)])
def test_without_a_sound_one_a_new_trace_is_made(scene, field):
    answer, meeting = scene.send({} if field is None else {"traceparent": field, "tracestate": "a=1"})
    parent = scene.trace_of(meeting)
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", parent) and FOREIGN not in parent
    # The id of the request, which was made too, is that of the trace.
    assert parent.split("-")[1] == answer.header("X-Request-Id")
    assert "tracestate" not in scene.redis.hash(scene.user.keys.bot(scene.user.bot_id(scene.redis, meeting)))
    scene.user.request("DELETE", scene.user.bot_path(meeting))


def test_the_other_api_has_it_too(scene):
    workspace = scene.user.as_workspace()
    meeting = workspace.create_meeting()
    answer = workspace.reinvite(meeting, headers={**workspace.headers(), "traceparent": PARENT})
    assert answer.status == 202, answer
    [dispatched] = [fields for _, fields in scene.redis.stream(workspace.keys.events)
                    if fields["meeting_id"] == meeting.id and fields["what"] == "dispatched"]
    assert dispatched["trace_id"] == FOREIGN
    # Lines are written beside the answer, not before it.
    [line] = wait_for(lambda: [line for line in scene.nodes[0].said("Dispatch accepted")
                               if line["meeting_id"] == meeting.id], "the line of the log")
    assert (line["trace_id"], line["request_id"]) == (FOREIGN, answer.header("X-Request-Id"))


def test_the_form_of_the_log_can_be_chosen(servers, scene):
    node = servers.node(scene.redis_server, LOG_FORMAT="people")
    line = r"^\d{4}-\d\d-\d\dT[\d:.]+Z info Listening  host=127\.0\.0\.1  port=\d+"
    wait_for(lambda: re.search(line, node.log, re.MULTILINE), f"the line in {node.log}")
