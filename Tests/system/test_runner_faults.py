"""Runners, supervisors and bots that are killed, stopped or crash (docs/architecture.md, "Leases").

Wherever a room can have been given out twice, the presence files say whether two bots were in it at once.
"""

import json
import os
import signal
import time

import pytest

from harness.bots_user import BotsUser
from harness.ports import free_port
from harness.process import children, descendants, is_running, session_members
from harness.runner import processes_of, wait_until_gone
from harness.up import run_usher
from harness.waiting import wait_for
from harness.workspace import Admin

LEASE_MS = 3000
# Of bots that must have ended, or live, by the clock of a machine that may be busy; and of many that start at once.
LONG_LEASE_MS = 10_000
LEASE_OF_MANY_MS = 15_000
# How often a test begins anew from which another one's runner has taken what it looks for.
MOST_TIMES = 3
FOR_EVER = 3_600_000
IN_LOBBY = f"SIMULATE_LOBBY_MS={FOR_EVER}"


class Scene:
    """Redis, a node and a user with many bots; runners are added by the test."""

    def __init__(self, servers, **settings):
        self.servers = servers
        self.redis_server = servers.redis()
        self.redis = self.redis_server.client
        self.lease_ms = settings.pop("LEASE_TTL_MS", LEASE_MS)
        self.node = servers.node(self.redis_server, LEASE_TTL_MS=self.lease_ms, **settings)
        self.user = BotsUser(Admin(self.node), max_concurrent_bots=1000)

    def runner(self, **settings):
        settings = {"LEASE_TTL_MS": self.lease_ms, "STOP_GRACE_MS": 5000, **settings}
        return self.servers.runner(self.redis_server, self.node, **settings)

    def bot_id(self, meeting):
        return self.user.bot_id(self.redis, meeting)

    def wait_for(self, meeting, *statuses):
        return self.user.wait_for_status(meeting, *statuses)

    def is_held(self, meeting):
        """Whether a bot holds the meeting's room."""
        room = f"google_meet:{meeting['native_meeting_id']}"
        return self.redis.call("EXISTS", self.user.keys.room(room), self.user.keys.in_flight(room)) > 0

    def wait_for_another(self, meeting, bot_id):
        """The id of the bot that took the place of this one, once it is in the room."""
        wait_for(lambda: self.bot_id(meeting) != bot_id, f"the replacement of bot {bot_id}", interval_s=0.05)
        self.wait_for(meeting, "active")
        return self.bot_id(meeting)


@pytest.fixture
def scene(servers):
    return Scene(servers)


def stays(runner, meeting):
    return [stay.bot_id for stay in runner.presence.stays(meeting["native_meeting_id"])]


# Runners.

# Those that stay where they are, and those that are in the room, five of each kind.
KINDS = {"requested": "SIMULATE=hang-start", "joining": f"SIMULATE_JOIN_MS={FOR_EVER}",
         "awaiting_admission": IN_LOBBY, "active": ""}


def test_a_runner_is_killed_with_twenty_bots(servers):
    """Its bots' processes are gone within the lease, those not yet in a room join by another runner, and those in a
    room end as failed."""
    scene = Scene(servers, LEASE_TTL_MS=LEASE_OF_MANY_MS)
    runner = scene.runner()
    meetings = [(kind, scene.user.send_bot(**({"bot_name": name} if name else {})))
                for _ in range(5) for kind, name in KINDS.items()]
    bots = {meeting["id"]: scene.bot_id(meeting) for _, meeting in meetings}
    for kind, meeting in meetings:
        scene.wait_for(meeting, kind)
    wait_for(lambda: len(runner.started) == len(bots), "the start of all bots")
    # Good bots only, whatever their names say.
    other = scene.runner(LAUNCH="'%s' simulate-bot" % runner.arguments[0])
    runner.kill()
    for bot_id in bots.values():
        wait_until_gone(bot_id)
    for kind, meeting in meetings:
        bot_id = bots[meeting["id"]]
        if kind == "active":
            ended = scene.wait_for(meeting, "failed")
            assert (ended["completion_reason"], ended["failure_stage"]) == ("lease_expired", "active")
            assert scene.user.record(meeting)["status"] == "OFFLINE" and not scene.is_held(meeting)
            assert stays(runner, meeting) == [bot_id]
            # The room is not stuck: it can be used again at once.
            assert scene.user.reinvite(meeting, {"force_restart": True}).status == 202
        successor = scene.wait_for_another(meeting, bot_id)
        assert stays(runner, meeting) == ([bot_id] if kind == "active" else []) + [successor]
        other.wait_for_started(successor)
    runner.presence.check()


@pytest.mark.parametrize("with_bots", [False, True])
def test_a_runner_is_stopped_past_its_leases_and_continued(servers, with_bots):
    """Its supervisors end its bots without it; if they were stopped too, it is the first thing that they do when they
    go on. The runner itself harms nobody then, and works again."""
    scene = Scene(servers, LEASE_TTL_MS=LEASE_OF_MANY_MS)
    runner = scene.runner()
    waiting, attending = [scene.user.send_bot(bot_name=name) for name in (IN_LOBBY, "Notes")]
    scene.wait_for(waiting, "awaiting_admission")
    scene.wait_for(attending, "active")
    old = {meeting["id"]: scene.bot_id(meeting) for meeting in (waiting, attending)}
    other = scene.runner(LAUNCH="'%s' simulate-bot" % runner.arguments[0])
    supervisors = runner.supervisors
    runner.pause()
    if with_bots:
        for process in session_members(runner.pid):
            os.kill(process, signal.SIGSTOP)
    assert scene.wait_for(attending, "failed")["completion_reason"] == "lease_expired"
    # By the time that the lease has run out, a bot that is not stopped is gone from its room, which can be given out.
    assert with_bots or processes_of(old[attending["id"]]) == []
    assert scene.user.reinvite(attending, {"force_restart": True}).status == 202
    new = {meeting["id"]: scene.wait_for_another(meeting, old[meeting["id"]]) for meeting in (waiting, attending)}
    assert set(other.wait_for_started(*new.values())) == set(new.values())
    if with_bots:
        for supervisor in supervisors:
            os.kill(supervisor, signal.SIGCONT)
    for bot_id in old.values():
        wait_until_gone(bot_id)
    runner.resume()
    wait_for(lambda: {line["bot_id"] for line in runner.said("A bot has ended")} == set(old.values()),
             "the runner's noticing that its bots have ended")
    for meeting in (waiting, attending):
        assert scene.user.meeting(meeting)["status"] == "active" and scene.bot_id(meeting) == new[meeting["id"]]
    # With the other one gone, it takes what comes.
    other.signal(signal.SIGTERM)
    assert other.wait() == 0
    later = scene.user.send_bot()
    scene.wait_for(later, "active")
    runner.wait_for_started(scene.bot_id(later))
    runner.presence.check()


def test_capacity_is_respected(servers):
    """A full runner leaves entries to others; with none free a dispatch waits."""
    scene = Scene(servers, LEASE_TTL_MS=LEASE_OF_MANY_MS)
    small = scene.runner(CAPACITY=2)
    meetings = [scene.user.send_bot() for _ in range(5)]
    wait_for(lambda: len(small.started) == 2, "the start of two bots")
    large = scene.runner(CAPACITY=3)
    for meeting in meetings:
        scene.wait_for(meeting, "active")
    wait_for(lambda: len(small.started) + len(large.started) == len(meetings), "the word on the start of each")
    assert len(small.started) == 2 and len(large.started) == 3
    waiting = scene.user.send_bot()
    # A place becomes free, and only then is the bot that waits started.
    [first] = [meeting for meeting in meetings if scene.bot_id(meeting) == small.started[0]]
    assert scene.user.meeting(waiting)["status"] == "requested"
    assert scene.user.request("DELETE", scene.user.bot_path(first)).status == 202
    scene.wait_for(waiting, "active")
    wait_for(lambda: small.started[2:] + large.started[3:], "the word on its start")
    assert small.started[2:] + large.started[3:] == [scene.bot_id(waiting)]
    small.presence.check()


def test_no_runner_at_all(servers):
    """A dispatch that nobody claims in its time ends as failed, and the meeting can be re-invited."""
    scene = Scene(servers, LEASE_TTL_MS=LEASE_OF_MANY_MS, IN_FLIGHT_TTL_MS=5000)
    meeting = scene.user.send_bot()
    ended = scene.wait_for(meeting, "failed")
    assert (ended["completion_reason"], ended["failure_stage"]) == ("dispatch_expired", "requested")
    assert scene.user.record(meeting)["status"] == "INITIAL"
    assert not scene.is_held(meeting) and scene.user.running() == []
    assert scene.redis.stream(scene.user.keys.dispatch) == []
    runner = scene.runner()
    answer = scene.user.reinvite(meeting)
    assert (answer.status, answer.json["action"]) == (202, "dispatched")
    scene.wait_for(meeting, "active")
    bot_id = scene.bot_id(meeting)
    assert runner.wait_for_started(bot_id) == [bot_id]


# A runner that is told to stop.


def test_a_runner_that_lets_its_bots_leave(servers):
    """Those in a room leave it; those that are not there yet go to another runner; it starts no more."""
    scene = Scene(servers, LEASE_TTL_MS=LEASE_OF_MANY_MS)
    runner = scene.runner(ON_STOP="leave")
    waiting, attending = [scene.user.send_bot(bot_name=name) for name in (IN_LOBBY, "Notes")]
    scene.wait_for(waiting, "awaiting_admission")
    scene.wait_for(attending, "active")
    bot_id = scene.bot_id(waiting)
    other = scene.runner(LAUNCH="'%s' simulate-bot" % runner.arguments[0])
    runner.signal(signal.SIGTERM)
    assert runner.wait() == 0
    ended = scene.wait_for(attending, "completed")
    assert ended["failure_stage"] is None
    [stay] = runner.presence.stays(attending["native_meeting_id"])
    assert stay.left
    successor = scene.wait_for_another(waiting, bot_id)
    assert stays(runner, waiting) == [successor] == other.wait_for_started(successor)
    later = scene.user.send_bot()
    scene.wait_for(later, "active")
    other.wait_for_started(scene.bot_id(later))
    assert len(runner.started) == 2
    [started] = other.said("Running bots")
    wait_for(lambda: scene.redis.scan("usher:{runners}:*") == [f"usher:{{runners}}:{started['runner']}"],
             "only the other runner's heartbeat")
    runner.presence.check()


def test_a_runner_that_waits_for_its_bots(servers):
    scene = Scene(servers, LEASE_TTL_MS=LONG_LEASE_MS)
    runner = scene.runner(ON_STOP="wait")
    meeting = scene.user.send_bot()
    scene.wait_for(meeting, "active")
    runner.signal(signal.SIGTERM)
    wait_for(lambda: runner.said("Stopping"), "the runner's stopping")
    # It takes no more, though it has the places.
    later = scene.user.send_bot()
    other = scene.runner()
    scene.wait_for(later, "active")
    taken = scene.bot_id(later)
    assert other.wait_for_started(taken) == [taken]
    # Long after its lease would have run out, the bot is there.
    [before] = runner.presence.stays(meeting["native_meeting_id"])
    wait_for(lambda: runner.presence.stays(meeting["native_meeting_id"])[0].last_ns
             > before.last_ns + 2 * scene.lease_ms * 1_000_000, "the bot's staying in the room")
    assert runner.alive and scene.user.meeting(meeting)["status"] == "active"
    assert scene.user.request("DELETE", scene.user.bot_path(meeting)).status == 202
    scene.wait_for(meeting, "completed")
    assert runner.wait() == 0
    assert len(runner.started) == 1


# Supervisors.


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_supervisor_is_lost(servers, number):
    """Killed, its bot ends with it. Stopped, it does not keep its deadline, and is killed by its runner."""
    scene = Scene(servers, LEASE_TTL_MS=LEASE_OF_MANY_MS)
    runner = scene.runner()
    waiting, attending = [scene.user.send_bot(bot_name=name) for name in (IN_LOBBY, "Notes")]
    scene.wait_for(waiting, "awaiting_admission")
    scene.wait_for(attending, "active")
    bots = [scene.bot_id(meeting) for meeting in (waiting, attending)]
    supervisors = [runner.supervisor_of(bot_id) for bot_id in bots]
    for supervisor in supervisors:
        os.kill(supervisor, number)
    ended = scene.wait_for(attending, "failed")
    assert ended["completion_reason"] in ("supervisor_lost", "lease_expired") and ended["failure_stage"] == "active"
    assert processes_of(bots[1]) == [], "the bot outlived its record"
    wait_until_gone(bots[0])
    wait_for(lambda: scene.bot_id(waiting) != bots[0], "the replacement of the one in the lobby")
    wait_for(lambda: len(runner.started) >= 3, "the start of the replacement")
    for supervisor in supervisors:
        wait_for(lambda: not is_running(supervisor), f"the end of supervisor {supervisor}")
    assert stays(runner, attending) == [bots[1]] and not scene.is_held(attending)
    assert runner.alive
    runner.presence.check()


def test_nothing_that_a_killed_supervisor_leaves_behind_lives_on(servers, tmp_path):
    """A process that left its bot's session, and has nothing of its environment, comes to the runner then."""
    # The runner looks through all processes before it reports the loss: no lease is to run out first.
    scene = Scene(servers, LEASE_TTL_MS=60_000)
    remnants, program = tmp_path / "remnants", tmp_path / "bot"
    runner = scene.runner(LAUNCH=f"sh {program}")
    program.write_text(f"setsid env -i sleep 7777 & echo $! >>{remnants}; exec '{runner.arguments[0]}' simulate-bot\n")
    meeting, other = scene.user.send_bot(), scene.user.send_bot()
    for sent in (meeting, other):
        scene.wait_for(sent, "active")
    bot_id = scene.bot_id(meeting)
    supervisor = runner.supervisor_of(bot_id)
    [remnant] = [process for process in map(int, remnants.read_text().split())
                 if process in descendants(supervisor)]
    os.kill(supervisor, signal.SIGKILL)
    assert scene.wait_for(meeting, "failed")["completion_reason"] == "supervisor_lost"
    assert not is_running(remnant)
    # Nobody else's was taken for one.
    assert scene.user.meeting(other)["status"] == "active" and len(runner.supervisors) == 1


def test_what_a_runner_and_a_supervisor_leave_that_are_killed_at_once_is_ended_by_the_next_runner(servers, tmp_path):
    """A process that nothing but its control group tells to be a bot's. Any runner that starts on the machine ends what a
    dead one has left: if one of another test was first, nothing is shown."""
    for turn in range(MOST_TIMES):
        scene = Scene(servers, LEASE_TTL_MS=LEASE_OF_MANY_MS)
        if is_ended_by_the_next_runner(scene, tmp_path / str(turn)):
            return
    raise AssertionError("something else has ended it, each time")


def is_ended_by_the_next_runner(scene, folder):
    """False if something else has ended it."""
    folder.mkdir()
    remnants, program = folder / "remnants", folder / "bot"
    runner = scene.runner(LAUNCH=f"sh {program}")
    if (lines := runner.said("Bots get no control groups of their own")):
        pytest.skip(f"no control groups here: {lines[0]['reason']}")
    program.write_text(f"setsid env -i sleep 7777 & echo $! >>{remnants}; exec '{runner.arguments[0]}' simulate-bot\n")
    other = scene.runner(LAUNCH=f"sh {program}")
    for _ in range(2):
        scene.wait_for(scene.user.send_bot(), "active")
    scene.wait_for(scene.user.send_bot(), "active")
    wait_for(lambda: len(runner.started) > 0 or len(other.started) > 0, "the start of bots")
    victim, survivor = (runner, other) if runner.started else (other, runner)
    processes = [int(line) for line in remnants.read_text().split()]
    lost = [process for process in processes if process in descendants(victim.pid)]
    kept = [process for process in processes if process in descendants(survivor.pid)]
    supervisors = victim.supervisors
    victim.signal(signal.SIGSTOP)
    for supervisor in supervisors:
        os.kill(supervisor, signal.SIGKILL)
    victim.kill()
    try:
        assert lost, "the dead runner has left nothing"
        if not all(is_running(process) for process in lost):
            return False
        scene.runner()
        wait_for(lambda: not any(is_running(process) for process in lost), "the end of what the dead runner left")
        assert all(is_running(process) for process in kept), "a living runner's was taken for a dead one's"
        return True
    finally:
        for process in lost:
            if is_running(process):
                os.kill(process, signal.SIGKILL)


def test_nothing_of_ended_bots_is_left(servers):
    """No descriptor, process or control group of them, nor a file of the runner's own."""
    # None of them is to be lost, however many start at once: each is tried three times.
    scene = Scene(servers, LEASE_TTL_MS=60_000)
    runner = scene.runner(LAUNCH="sh -c 'setsid sleep 7777 & exit 1'")

    def run_bots(count):
        for meeting in [scene.user.send_bot() for _ in range(count)]:
            scene.wait_for(meeting, "failed")
        wait_for(lambda: not children(runner.pid), "the end of all supervisors")

    def left_over():
        with open(f"/proc/{runner.pid}/mountinfo") as file:
            mounts = [line.split()[4] for line in file if " - cgroup2 " in line]
        groups = [path for mount in mounts for path, _, _ in os.walk(mount) if runner_group in path]
        return len(os.listdir(f"/proc/{runner.pid}/fd")), sorted(groups), sorted(os.listdir(scene.servers.folder))

    groups = [os.readlink(f"/proc/{runner.pid}/fd/{name}") for name in os.listdir(f"/proc/{runner.pid}/fd")]
    runner_group = next((os.path.basename(path) for path in groups if "/usher-runner-" in path), "no group at all")
    def settled():
        """Once two looks in a row see the same: a connection, say, may be closed a little later."""
        seen = left_over()
        time.sleep(0.5)
        return seen if left_over() == seen else None

    def is_no_more(before):
        descriptors, *others = left_over()
        return descriptors <= before[0] and others == list(before[1:])

    run_bots(2)
    before = wait_for(settled, "an end of changes")
    run_bots(30)
    assert len(runner.started) == 3 * 32
    wait_for(lambda: is_no_more(before), f"what was open before: {before}, and not {left_over()}")
    runner.signal(signal.SIGTERM)
    assert runner.wait() == 0
    assert not any(runner_group in path for mount in ["/sys/fs/cgroup"] for path, _, _ in os.walk(mount))


# Bots.

CRASHES = {"crash-start": "requested", "crash-joining": "joining", "crash-lobby": "awaiting_admission",
           "crash-active": "active"}


@pytest.fixture(scope="module")
def crashed(module_servers):
    """Bots that end without a last report, all at once."""
    scene = Scene(module_servers, LEASE_TTL_MS=LEASE_OF_MANY_MS)
    scene.configurations = os.path.join(module_servers.folder, "configurations")
    # They print what they were told, with all that is secret in it.
    bot = f"{module_servers.folder}/launch-bot"
    scene.only_runner = scene.runner(
        LAUNCH=f"""sh -c 'echo "$VEXA_BOT_CONFIG" | tee -a {scene.configurations}; exec {bot}'""")
    scene.meetings = {crash: scene.user.send_bot(bot_name=f"SIMULATE={crash}", passcode="a-passcode")
                      for crash in CRASHES}
    scene.meetings["silent"] = scene.user.send_bot(bot_name="SIMULATE=exit-without-report SIMULATE_MEETING_MS=300")
    scene.meetings["killed"] = scene.user.send_bot()
    return scene


def assert_kept(scene, meeting):
    """The end of the bot's output is in the record, without its secrets."""
    output = scene.user.fields(scene.redis, meeting)["bot_output"]
    assert "simulated bot: " in output
    bot_id = scene.bot_id(meeting)
    with open(scene.configurations) as file:
        [told] = [told for told in map(json.loads, file) if told["connectionId"] == bot_id]
    secrets = [name for name in ("internalSecret", "redisUrl", "passcode") if name in told]
    assert len(secrets) == (3 if "passcode" in scene.user.fields(scene.redis, meeting) else 2)
    for name in secrets:
        assert f'"{name}":"***"' in output and told[name] not in output


@pytest.mark.parametrize("crash", CRASHES)
def test_a_bot_crashes(crashed, crash):
    """Before the room it is tried three times in all; in the room its meeting ends as failed."""
    scene, meeting = crashed, crashed.meetings[crash]
    ended = scene.wait_for(meeting, "failed")
    assert (ended["completion_reason"], ended["failure_stage"]) == ("bot_exited", CRASHES[crash])
    assert ended["data"]["exit_code"] == 70 and "exit_signal" not in ended["data"]
    in_room = crash == "crash-active"
    assert scene.user.record(meeting)["status"] == ("OFFLINE" if in_room else "INITIAL")
    events = [event["what"] for event in scene.user.events(scene.redis, meeting)]
    assert events.count("replaced") == (0 if in_room else 2) and events[-1] == "failed"
    assert len(stays(scene.only_runner, meeting)) == in_room
    assert not scene.is_held(meeting)
    assert_kept(scene, meeting)


def test_a_bot_leaves_without_a_report(crashed):
    meeting = crashed.meetings["silent"]
    ended = crashed.wait_for(meeting, "failed")
    assert (ended["completion_reason"], ended["failure_stage"]) == ("bot_exited", "active")
    assert ended["data"]["exit_code"] == 0
    assert_kept(crashed, meeting)


def test_a_bot_is_killed_in_the_room(crashed):
    meeting = crashed.meetings["killed"]
    crashed.wait_for(meeting, "active")
    [process] = processes_of(crashed.bot_id(meeting))
    os.kill(process, signal.SIGKILL)
    ended = crashed.wait_for(meeting, "failed")
    assert (ended["completion_reason"], ended["failure_stage"]) == ("bot_exited", "active")
    assert ended["data"]["exit_signal"] == signal.SIGKILL and "exit_code" not in ended["data"]
    assert_kept(crashed, meeting)


@pytest.mark.parametrize("setting, program, reason", [
    ("LAUNCH", "/nowhere/bot", "No such file"), ("LAUNCH", "no-such-bot", "in no folder of PATH"),
    ("LAUNCH", "/etc/passwd", "Permission denied"), ("LAUNCH", "/etc", "no file"),
    ("CLEAN_UP", "/nowhere/cleaner", "No such file"),
])
def test_a_program_that_cannot_be_run_is_said_at_the_start(scene, setting, program, reason):
    runner = scene.servers.runner(scene.redis_server, scene.node, start=False, **{setting: f"{program} --number 1"})
    runner.spawn()
    assert runner.wait() == 2
    [line] = runner.log.strip().splitlines()
    assert f"--{setting.lower().replace('_', '-')} names" in line and program in line and reason in line


@pytest.mark.parametrize("program, reason", [
    (None, "could not be started (execute {path}: No such file or directory)"), ("exit 3", "ended with exit code 3")])
def test_a_clean_up_that_fails_is_told(servers, tmp_path, program, reason):
    scene = Scene(servers, LEASE_TTL_MS=LEASE_OF_MANY_MS)
    path = tmp_path / "clean-up"
    path.write_text(f"#!/bin/sh\n{program}\n")
    path.chmod(0o755)
    runner = scene.runner(LAUNCH="true", CLEAN_UP=path)
    if not program:
        path.unlink()
    scene.wait_for(scene.user.send_bot(), "failed")
    wait_for(lambda: f"usher: the clean-up after a bot ({path}) {reason.format(path=path)}\n" in runner.log,
             "the word of it")
    if not program:
        wait_for(lambda: status_of(scene).get("problem", "").startswith(f"--clean-up names {path}, which cannot be run"),
                 "the same in `usher status`")


def status_of(scene):
    """What `usher status --json` says of the only runner, once it has said that it is there."""
    status, output, errors = run_usher("status", "--json", environment={"USHER_REDIS": scene.redis_server.url})
    assert status == 0, errors
    return next(iter(json.loads(output)["runners"]), {})


def test_nodes_that_cannot_be_reached_are_told_in_words(servers):
    """In the runner's log, in `usher status` and in the record of a meeting whose bot could not report."""
    scene = Scene(servers, LEASE_TTL_MS=LEASE_OF_MANY_MS)
    url = f"http://127.0.0.1:{free_port()}"
    runner = scene.runner(API_URL=url, LAUNCH="sh -c 'exit 1'")
    line = runner.says("Bots lack something that they need")[-1]
    assert url in line["problem"] and "--api-url" in line["problem"] and "refused" in line["problem"]
    wait_for(lambda: status_of(scene).get("problem") == line["problem"], "the same in `usher status`")
    status, output, _ = run_usher("status", environment={"USHER_REDIS": scene.redis_server.url})
    assert status == 0 and line["problem"] in output
    ended = scene.wait_for(scene.user.send_bot(), "failed")
    assert ended["completion_reason"] == "bot_exited"
    assert ended["data"]["error_details"] == f"When it ended, {line['problem']}."


def test_a_server_that_is_no_node_is_told_from_one(scene):
    """As one that serves nothing but metrics."""
    runner = scene.runner(METRICS_PORT=(port := free_port()), API_URL=f"http://127.0.0.1:{port}")
    # That may not serve yet when the runner asks it first.
    wait_for(lambda: [line for line in runner.said("Bots lack something that they need") if "404" in line["problem"]],
             "the runner's warning")


def test_the_launch_command_is_missing(servers, tmp_path):
    """It is told from a crash: one clear reason, and no second try."""
    scene = Scene(servers, LEASE_TTL_MS=LEASE_OF_MANY_MS)
    program = tmp_path / "bot"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    runner = scene.runner(LAUNCH=f"{program} --number {{number}}")
    program.unlink()
    meeting = scene.user.send_bot()
    ended = scene.wait_for(meeting, "failed")
    assert (ended["completion_reason"], ended["failure_stage"]) == ("launch_failed", "requested")
    assert "exit_code" not in ended["data"] and "exit_signal" not in ended["data"]
    fields = scene.user.fields(scene.redis, meeting)
    assert fields["epoch"] == "1"
    assert ended["data"]["error_details"] == fields["error_details"]
    assert "No such file" in fields["error_details"] and len(fields["error_details"].splitlines()) == 1
    assert scene.user.record(meeting)["status"] == "INITIAL" and not scene.is_held(meeting)
    wait_for(lambda: "No such file" in (status_of(scene).get("problem") or ""), "the same in `usher status`")
    assert runner.alive
