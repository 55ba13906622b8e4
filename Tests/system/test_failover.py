"""A Redis that fails over, or whose slots move, under nodes, runners and bots (docs/architecture.md, "Failures")."""

import re
import subprocess
from types import SimpleNamespace

import pytest

from harness.bots_user import BotsUser
from harness.deployments import SERVICE, RedisCluster, SentinelDeployment, TCPServer
from harness.feed_server import FeedServer, event, feed, utc
from harness.http_client import NO_BODY
from harness.load import Load
from harness.node import BINARY
from harness.played_bot import PlayedBot
from harness.resp import RedisClient, RedisError
from harness.runner import wait_until_gone
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code

# Far longer than a failover takes on the slowest machine. A third of it is how long a stop may go unheard, where a bot
# knows only the address of the former primary.
LEASE_MS = 45_000
# How long a bot then has to leave.
STOP_GRACE_MS = 2_000
# How many bots the runner runs at once.
CAPACITY = 200


class Scene:
    """Two nodes, a runner and a user on a deployment of their own."""

    def __init__(self, servers, deployment):
        self.deployment = servers.add(deployment).start()
        settings = {"LEASE_TTL_MS": LEASE_MS, "STOP_GRACE_MS": STOP_GRACE_MS}
        self.nodes = [servers.node(deployment, **settings) for _ in range(2)]
        self.runner = servers.runner(
            deployment, self.nodes[0], CAPACITY=CAPACITY, BOT_REDIS=deployment.bot_url, **settings)
        self.user = BotsUser(Admin(self.nodes[0]), max_concurrent_bots=1000)

    def send_bot_somehow(self, node):
        """A bot in a room, asked for until it is accepted."""
        def accepted():
            body = {"platform": "google_meet", "native_meeting_id": random_meet_code()}
            answer = self.user.request("POST", "/bots", body, node=node)
            assert answer.status in (201, 500, 503), answer
            return answer.json if answer.status == 201 else None
        meeting = wait_for(accepted, "a dispatch that is accepted", interval_s=0.05)
        return self.user.wait_for_status(meeting, "active")

    def assert_alone(self, meeting):
        stays = self.runner.presence.stays(meeting["native_meeting_id"])
        assert len(stays) == 1, stays


def ask_for_failover(sentinel):
    """Until it takes it up: one that is busy, or takes no replica for a good one just now, refuses."""
    def is_taken_up():
        try:
            return sentinel.ask("SENTINEL", "FAILOVER", SERVICE) == "OK"
        except RedisError:
            return False
    wait_for(is_taken_up, "a failover that is taken up", interval_s=0.5)


def fail_over_by_request(deployment, _):
    former = deployment.primary()
    ask_for_failover(deployment.sentinels[1])
    wait_for(lambda: deployment.primary() is not former, "the failover")


def kill_the_primary(deployment, _):
    former = deployment.primary()
    former.kill()
    wait_for(lambda: deployment.primary() is not former, "the failover")


def kill_the_primary_of_the_partition(deployment, keys):
    primary, replica = deployment.owner(keys.dispatch)
    primary.kill()
    wait_for(lambda: replica.ask("ROLE")[0] == "master", "the promotion of the replica")


@pytest.mark.parametrize("kind, break_it", [
    (SentinelDeployment, fail_over_by_request), (SentinelDeployment, kill_the_primary),
    (RedisCluster, kill_the_primary_of_the_partition),
])
def test_bots_outlive_a_failover(servers, kind, break_it):
    """All nodes and the runner follow by themselves; the bot stays where it is, and is led by the new primary."""
    scene = Scene(servers, kind(servers.folder, "redis"))
    user = scene.user
    meeting = user.send_bot()
    user.wait_for_status(meeting, "active")
    break_it(scene.deployment, user.keys)
    user.is_patient = True
    later = [scene.send_bot_somehow(node) for node in scene.nodes]
    assert user.meeting(meeting)["status"] == "active"
    for other in [meeting, *later]:
        scene.assert_alone(other)
        assert user.request("POST", "/bots", {
            "platform": "google_meet", "native_meeting_id": other["native_meeting_id"]}).status == 409
        assert user.request("DELETE", user.bot_path(other)).status == 202
    for other in [meeting, *later]:
        user.wait_for_status(other, "completed")
    assert user.running() == []


def test_a_partition_moves_under_load(servers):
    """Its slot goes to another primary, key by key: no dispatch that was accepted is lost, or there twice."""
    deployment = RedisCluster(servers.folder, "redis")
    scene = Scene(servers, deployment)
    user = scene.user
    accepted = []

    def send(number):
        """A bot into a room of its own; once half of the runner's places are taken, into one that has its bot."""
        free = len(accepted) < CAPACITY // 2
        code = random_meet_code() if free else accepted[number % len(accepted)]["native_meeting_id"]
        body = {"platform": "google_meet", "native_meeting_id": code}
        answer = user.request("POST", "/bots", body, node=scene.nodes[number % 2])
        assert answer.status in ((201, 500, 503) if free else (409, 500, 503)), answer
        if answer.status == 201:
            accepted.append(answer.json)
        return answer.status

    first = user.send_bot()
    user.wait_for_status(first, "active")
    load = Load(send, threads=2).start()
    load.wait_for_more(5, "requests before the move")
    source, _ = deployment.owner(user.keys.dispatch)
    [target] = [server for server in deployment.servers[:3] if server is not source][:1]
    deployment.move_slot(user.keys.dispatch, source, target)
    load.wait_for_more(10, "requests after the move")
    load.stop()
    assert deployment.owner(user.keys.dispatch)[0] is target
    for meeting in [first, *accepted, user.send_bot()]:
        user.wait_for_status(meeting, "active")
        scene.assert_alone(meeting)


def test_a_zone_is_lost(servers):
    """Of three servers one says nothing any more: requests go on by themselves, and a failover then loses nothing that was
    acknowledged. What is back is waited for."""
    deployment = servers.add(SentinelDeployment(servers.folder, "redis")).start()
    nodes = [servers.node(deployment, REDIS_WAIT_REPLICAS=2) for _ in range(2)]
    user = BotsUser(Admin(nodes[0]), max_concurrent_bots=100_000)
    former = deployment.primary()
    replica, lost = [server for server in deployment.redis if server is not former]
    accepted = []

    def send(number):
        body = {"platform": "google_meet", "native_meeting_id": random_meet_code()}
        answer = user.request("POST", "/bots", body, node=nodes[number % 2])
        assert answer.status in (201, 500, 503), answer
        if answer.status == 201:
            accepted.append(answer.json)
        return answer.status

    # One that is not confirmed in time is no failure.
    for number in range(2):
        wait_for(lambda: send(number) == 201, "a dispatch before anything is lost", interval_s=0.5)
    lost.pause()
    deployment.sentinels[2].pause()
    assert send(0) == 503
    for number in range(2):
        wait_for(lambda: send(number) == 201, "a dispatch without the lost zone", interval_s=0.5)
    load = Load(send, threads=4).start()
    load.wait_for_more(100, "requests before the failover")
    # Or it would be taken for one that can take over.
    wait_for(lambda: "s_down" in str(deployment.sentinels[0].ask("SENTINEL", "REPLICAS", SERVICE)), "word of the loss")
    ask_for_failover(deployment.sentinels[0])
    wait_for(lambda: "role:master" in replica.ask("INFO", "replication"), "the failover")
    load.wait_for_more(100, "requests after the failover")
    wait_for(lambda: "role:slave" in former.ask("INFO", "replication"), "the former primary's new part")
    load.stop()
    user.is_patient = True
    for meeting in accepted:
        assert user.meeting(meeting)["status"] == "requested", meeting
    for number in range(2):
        wait_for(lambda: send(number) == 201, "a dispatch after the failover", interval_s=0.5)

    lost.resume()
    deployment.sentinels[2].resume()
    wait_for(lambda: replica.ask("INFO", "replication").count("state=online") == 2, "the return of what was lost")
    later = []
    for number in range(10):
        before = len(accepted)
        wait_for(lambda: send(number) == 201, "a dispatch with all servers", interval_s=0.5)
        later += accepted[before:]
        for meeting in accepted[before:]:
            assert lost.ask("EXISTS", user.keys.meeting(meeting["data"]["meeting_id"])) == 1
    assert len(later) == 10


@pytest.fixture
def pair(servers):
    """A primary and its replica, and two nodes that wait for the replica: one for as long as it takes."""
    primary = servers.add(TCPServer(servers.folder, "primary", ("--repl-diskless-sync-delay", "0"))).start()
    replica = servers.add(TCPServer(servers.folder, "replica", ("--replicaof", f"127.0.0.1 {primary.port}"))).start()
    wait_for(lambda: "state=online" in primary.ask("INFO", "replication"), "the first replication")
    url = f"redis://127.0.0.1:{primary.port}/0"
    nodes = [
        servers.node(url, REDIS_WAIT_REPLICAS=1, REDIS_WAIT_MS=wait_ms, REDIS_TIMEOUT_MS=30000, REQUEST_TIMEOUT_MS=30000,
                     WEBHOOK_ALLOW="127.0.0.1", CALENDAR_SYNC_MS=1000)
        for wait_ms in (10000, 100)]
    return primary, replica, nodes


def test_what_a_calendar_plans_waits_for_replicas(pair):
    """While no replica confirms that a node has a calendar, nothing is planned of it; it is once there is one again."""
    primary, replica, (patient, node) = pair
    user = BotsUser(Admin(patient))
    server = FeedServer()
    try:
        server.feeds["/a"] = feed()
        answer = user.request("POST", "/user/calendars", {"name": "Work", "ics_url": server.url("/a")})
        assert answer.status == 201, answer
        path = f"/user/calendars/{answer.json['id']}/sync"
        wait_for(lambda: user.request("GET", path, node=node).json["last_sync"], "the first reading")
        replica.pause()
        server.feeds["/a"] = feed(event("1", utc(3600), random_meet_code()))
        refused = "Calendars could not.*on 0 replicas"
        wait_for(lambda: any(re.search(refused, each.log) for each in (patient, node)), "the word of it in a log")

        def meetings():
            return user.request("GET", "/meetings", node=node).json["meetings"]
        assert meetings() == []
        replica.resume()
        wait_for(lambda: [one["status"] for one in meetings()] == ["scheduled"], "the plan")
    finally:
        server.end()


def test_a_change_that_no_replica_confirms(pair):
    """It may have gone through, and says so; asking again is safe; nothing else is held up."""
    primary, replica, (patient, node) = pair
    workspace = Admin(patient).create_workspace()
    user = BotsUser(Admin(patient))
    before = workspace.create_meeting()
    assert workspace.reinvite(before).status == 202
    assert replica.ask("XLEN", workspace.keys.dispatch) == 1
    meeting = workspace.create_meeting()
    running = user.send_bot()
    replica.pause()

    expected = primary.ask("XLEN", workspace.keys.dispatch) + 1
    answer = workspace.reinvite(meeting, node=node)
    assert (answer.status, answer.code) == (500, 12109)
    assert primary.ask("XLEN", workspace.keys.dispatch) == expected
    answer = workspace.reinvite(meeting, node=node)
    assert (answer.status, answer.code) == (409, 12107)

    body = {"platform": "google_meet", "native_meeting_id": random_meet_code()}
    answer = user.request("POST", "/bots", body, node=node)
    assert answer.status == 503 and answer.header("Retry-After") == "2"
    assert answer.json["detail"] == (
        "The request may have gone through, but too few replicas have confirmed it. Sending it again is safe.")
    # What leads to its record comes first, and is on no replica: so no bot was sent, nor is one this time.
    entries = primary.ask("XLEN", user.keys.dispatch)
    assert user.request("POST", "/bots", body, node=node).status == 503
    assert primary.ask("XLEN", user.keys.dispatch) == entries
    assert user.request("DELETE", user.bot_path(running), node=node).status == 503
    assert user.request("GET", "/bots/status", node=node).status == 200

    replica.resume()
    # The stop took an entry away, which may be of the same stream.
    left = primary.ask("XLEN", workspace.keys.dispatch)
    assert left == expected - (user.keys.dispatch == workspace.keys.dispatch)
    wait_for(lambda: replica.ask("XLEN", workspace.keys.dispatch) == left, "the replication")
    assert workspace.reinvite(workspace.create_meeting()).status == 202
    assert user.request("POST", "/bots", body).status == 201


def changes(patient, redis):
    """What callers may change beside bots, and on how many keys of their own slots: name -> (waits, request). Each
    request can be made once, on whichever node."""
    admin, user = Admin(patient), BotsUser(Admin(patient))
    workspace = admin.create_workspace()
    space = f"/admin/workspaces/{workspace.id}"
    revoked, rotated = [admin.create_key(workspace.id, workspace.owner["id"])["id"] for _ in range(2)]
    other, member = admin.create_user(), admin.create_user()
    admin.set_role(workspace.id, member["id"], "viewer")
    held, over = user.send_bot(), user.send_bot()
    user.play(redis, held, "joining", "active")
    user.request("DELETE", user.bot_path(over))
    key = {"user_id": workspace.owner["id"], "scopes": ["bots"]}
    email = f"user-{random_meet_code()}@example.com"
    room = {"platform": "google_meet", "native_meeting_id": random_meet_code()}

    def as_admin(method, path, body=NO_BODY):
        return lambda node: Admin(node).request(method, path, body)

    def as_user(method, path, body=NO_BODY):
        return lambda node: user.request(method, path, body, node=node)

    return {
        "a user": (5, as_admin("POST", "/admin/users", {"email": email})),
        "a user's name": (1, as_admin("PATCH", f"/admin/users/{member['id']}", {"name": "Anna"})),
        "a workspace": (2, as_admin("POST", "/admin/workspaces", {"name": "B", "owner_user_id": member["id"]})),
        "a member": (1, as_admin("PUT", f"{space}/members/{other['id']}", {"role": "viewer"})),
        "a member that goes": (1, as_admin("DELETE", f"{space}/members/{member['id']}")),
        "a key": (2, as_admin("POST", f"{space}/keys", key)),
        "a key that is replaced": (3, as_admin("POST", f"/admin/keys/{rotated}/rotate", {})),
        "a key that is revoked": (1, as_admin("DELETE", f"/admin/keys/{revoked}")),
        "a webhook": (1, as_user("PUT", "/user/webhook", {"webhook_url": "https://hook.example"})),
        "a meeting": (2, lambda node: workspace.request("POST", workspace.meetings_path, room, node=node)),
        "a meeting's notes": (1, as_user("PATCH", user.meeting_path(over), {"data": {"notes": "x"}})),
        "a meeting's contents": (1, as_user("DELETE", user.meeting_path(over))),
        "a bot's language": (1, as_user("PUT", f"{user.bot_path(held)}/config", {"language": "es"})),
    }


def test_what_callers_change_waits_for_replicas(pair):
    """Each part of it that may be lost alone: an acknowledged revocation, say, must not be taken back by a failover."""
    primary, replica, (patient, node) = pair
    redis = RedisClient(primary.address)

    def waits():
        found = re.search(r"cmdstat_wait:calls=(\d+)", primary.ask("INFO", "commandstats"))
        return int(found[1]) if found else 0

    for name, (count, request) in changes(patient, redis).items():
        before = waits()
        answer = request(patient)
        assert answer.status in (200, 201, 202, 204), f"{name}: {answer}"
        assert waits() - before == count, name
    later = changes(patient, redis)
    replica.pause()
    for name, (_, request) in later.items():
        answer = request(node)
        assert answer.status == 503 and answer.header("Retry-After") == "2", f"{name}: {answer}"
    # From a shell too, if it is told to.
    command = [BINARY, "admin", "create-user", "--email", f"{random_meet_code()}@example.com", "--redis",
               node.environment["USHER_REDIS"]]
    told = subprocess.run(
        [*command, "--redis-wait-replicas", "1", "--redis-wait-ms", "100"], capture_output=True, text=True, timeout=300)
    assert told.returncode == 1 and "replicas" in told.stderr, told.stderr
    assert subprocess.run(command, capture_output=True, timeout=300).returncode == 0
    # Reading goes on, and so does what is only noted.
    assert Admin(node).request("GET", "/admin/users").status == 200
    replica.resume()


def test_what_no_replica_confirms_is_not_granted_to_who_asks_again(pair):
    """With its idempotency key the request finds that it was done; that it will stay nobody can say yet."""
    primary, replica, (patient, node) = pair
    workspace = Admin(patient).create_workspace()
    meeting, other = workspace.create_meeting(), workspace.create_meeting()
    replica.pause()

    def ask(meeting, node):
        return workspace.reinvite(meeting, node=node, headers={**workspace.headers(), "Idempotency-Key": meeting.id})

    for _ in range(3):
        answer = ask(meeting, node)
        assert (answer.status, answer.code) == (500, 12109)
    assert primary.ask("XLEN", workspace.keys.dispatch) == 1
    replica.resume()
    answer = ask(meeting, patient)
    assert answer.status == 202 and answer.json["action"] == "dispatched"
    assert replica.ask("XLEN", workspace.keys.dispatch) == primary.ask("XLEN", workspace.keys.dispatch) == 1
    assert ask(other, patient).status == 202


def test_a_report_and_a_lease_that_no_replica_confirms(servers, pair):
    """A bot's report is not taken for told, and its lease not for renewed: another Redis may be the primary by now."""
    primary, replica, (patient, node) = pair
    user = BotsUser(Admin(patient))
    reported = user.send_bot()
    bot = PlayedBot.of(RedisClient(primary.address), user.workspace_id, reported)
    bot.tell(patient, "joining")
    runner = servers.runner(
        SimpleNamespace(url=patient.environment["USHER_REDIS"]), patient, REDIS_WAIT_REPLICAS=1, REDIS_WAIT_MS=1000,
        BOT_REDIS=patient.environment["USHER_REDIS"], LEASE_TTL_MS=15_000)
    led = user.send_bot()
    user.wait_for_status(led, "active")
    [bot_id] = runner.wait_for_started(user.bot_id(RedisClient(primary.address), led))
    replica.pause()
    assert bot.report(node, "active").status == 503
    # Nor when it is told again, which changes nothing.
    assert bot.report(node, "active").status == 503
    wait_until_gone(bot_id)
    assert runner.says("Leases could not be renewed; trying again")
    replica.resume()
    assert bot.report(node, "active").status == 200
    assert user.wait_for_status(reported, "active")
