"""`usher doctor`, and what nodes and runners say of their Redis when they start."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from harness import transcripts
from harness.bots_user import BotsUser
from harness.deployments import RedisCluster, SentinelDeployment
from harness.node import REPOSITORY
from harness.ports import free_port
from harness.process import Process
from harness.runner import wait_until_gone
from harness.up import Up, run_usher
from harness.waiting import wait_for
from harness.workspace import Admin

PASSWORD = "a-password-of-the-nodes"

# How fast the machine is, and what its clock says, is not Redis' doing.
OF_THE_MACHINE = {"latency", "clock"}


def examine(url, *arguments):
    """(exit code, the level by the subject, all that was said)."""
    code, output, errors = run_usher("doctor", "--redis", url, *arguments)
    lines = output.splitlines()
    levels = {}
    for line in lines[1:-1]:
        level, subject, advice = re.fullmatch(r"(ok  |warn|FAIL)  ([a-zA-Z() ]+(?: of [0-9.:]+)?): [^\n]*?(\. .*)?\.", line).groups()
        assert (advice is None) == (level == "ok  "), line
        levels[subject] = level.strip()
    counts = [sum(level == word for level in levels.values()) for word in ("ok", "warn", "FAIL")]
    noun = "finding" if len(levels) == 1 else "findings"
    assert lines[-1] == f"{len(levels)} {noun}: {counts[0]} ok, {counts[1]} warn, {counts[2]} FAIL"
    assert code == (1 if counts[2] else 0) and errors == ""
    return code, {key: level for key, level in levels.items() if key.split()[0] not in OF_THE_MACHINE}, output


@pytest.fixture
def folder(servers):
    return servers.folder


def bad(levels):
    return {subject: level for subject, level in levels.items() if level != "ok"}


def test_a_good_redis(servers):
    server = servers.redis(durable=True, fsync="always")
    code, levels, output = examine(server.url)
    assert code == 0 and bad(levels) == {}
    assert output.startswith(f"Redis at {server.url}\nok    deployment: a standalone Redis.\n")
    assert {"version", "persistence", "replicas", "memory", "rights", "scripts"} <= set(levels)


def test_a_bad_redis(servers):
    server = servers.redis()
    for name, value in [("maxmemory", "100mb"), ("maxmemory-policy", "allkeys-lru"), ("timeout", "60")]:
        server.client.call("CONFIG", "SET", name, value)
    code, levels, output = examine(server.url)
    assert code == 1
    assert bad(levels) == {"persistence": "FAIL", "memory": "FAIL", "idle clients": "warn"}
    assert "Set `maxmemory-policy noeviction`." in output


def test_warnings_alone_are_no_failure(servers):
    server = servers.redis(durable=True, fsync="always")
    server.client.call("CONFIG", "SET", "appendfsync", "everysec")
    code, levels, _ = examine(server.url)
    assert (code, bad(levels)) == (0, {"persistence": "warn"})


def test_no_redis(folder):
    code, levels, output = examine(f"redis+unix://{folder}/nothing.sock", "--redis-timeout-ms", "8000")
    assert code == 1 and levels == {"connection": "FAIL"}
    assert "nothing.sock does not answer within 8000 ms: No such file or directory. Start it" in output


def test_why_a_redis_cannot_be_reached_is_said(folder):
    """By each command that works without a node, and without the password."""
    closed = free_port()
    reasons = {
        f"redis+unix://:{PASSWORD}@{folder}/nothing.sock": "does not answer: No such file or directory",
        f"redis://:{PASSWORD}@127.0.0.1:{closed}": "does not answer: Connection refused",
        f"redis://:{PASSWORD}@nothing.invalid": "does not answer: cannot resolve nothing.invalid: ",
        f"redis+cluster://:{PASSWORD}@127.0.0.1:{closed}": f"does not answer: 127.0.0.1:{closed}: Connection refused",
        f"redis+sentinel://:{PASSWORD}@127.0.0.1:{closed}/nosuch": "does not answer: no Sentinel tells of nosuch: ",
    }
    # All of it is waited for, so all commands wait at once. That a name is none takes a resolver some time to find out.
    patience = "8000"
    commands = (["status"], ["keys", "a" * 32], ["admin", "delete-key", "--key-id", "1"])
    with ThreadPoolExecutor(len(reasons) * (len(commands) + 1)) as pool:
        answers = [(reason, pool.submit(run_usher, *command, "--redis", url, "--redis-timeout-ms", patience))
                   for url, reason in reasons.items() for command in commands]
        examined = [(reason, pool.submit(examine, url, "--redis-timeout-ms", patience))
                    for url, reason in reasons.items()]
    for reason, answer in answers:
        code, output, errors = answer.result()
        assert (code, output) == (1, "") and reason in errors and PASSWORD not in errors, errors
    for reason, answer in examined:
        _, _, output = answer.result()
        assert reason.replace("answer:", f"answer within {patience} ms:") in output and PASSWORD not in output


@pytest.mark.parametrize("arguments", [["now"], ["--redis", "http://h"], ["--port", "1"], ["--redis-timeout-ms", "0"]])
def test_what_is_not_understood(arguments):
    code, output, errors = run_usher("doctor", *arguments)
    assert (code, output) == (2, "") and errors.startswith("usher: ") and errors.count("\n") == 1


def test_a_sentinel_and_the_primary_that_it_watches(servers, folder):
    server = servers.redis(durable=True, fsync="always")
    path = os.path.join(folder, "sentinel.conf")
    server.client.call("CONFIG", "SET", "bind", "127.0.0.1")
    # Port 0 lets nobody in; Redis itself looks for no free one.
    port = free_port()
    server.client.call("CONFIG", "SET", "port", str(port))
    with open(path, "w") as file:
        file.write(f"port 0\nunixsocket {folder}/sentinel.sock\nsentinel monitor records 127.0.0.1 {port} 1\n")
    sentinel = servers.add(Process("sentinel", ["redis-server", path, "--sentinel"], {}, folder))
    sentinel.spawn()
    wait_for(lambda: "watched by 1 Sentinel," in examine(server.url)[2], "the Sentinel's subscription")
    code, levels, output = examine(server.url)
    assert (code, bad(levels)) == (0, {"deployment": "warn", "replicas": "warn"})
    assert "redis+sentinel://" in output
    code, levels, output = examine(f"redis+unix://{folder}/sentinel.sock")
    assert (code, levels) == (1, {"deployment": "FAIL", "encryption": "ok", "version": "ok"})
    assert "a Sentinel, which holds no records" in output


def test_sentinels(servers):
    deployment = servers.add(
        SentinelDeployment(servers.folder, "redis", down_ms=60_000, options=("--appendfsync", "always"))).start()
    # Each says so once a second.
    wait_for(lambda: "offset=0," not in deployment.redis[0].ask("INFO", "replication"), "the replicas' word that they have something")
    code, levels, output = examine(deployment.url)
    assert (code, bad(levels)) == (0, {"replicas": "warn", "waiting for replicas": "warn"})
    assert "ok    deployment: the primary that 3 Sentinels told of.\n" in output
    code, levels, output = examine(deployment.url, "--redis-wait-replicas", "2")
    assert (code, bad(levels)) == (0, {"replicas": "warn"})
    code, levels, output = examine(deployment.url, "--redis-wait-replicas", "3")
    assert (code, levels["waiting for replicas"]) == (0, "warn") and "3 replicas, and 2 are connected" in output
    code, levels, output = examine(deployment.url, "--redis-wait-replicas", "5")
    assert (code, levels["waiting for replicas"]) == (1, "FAIL")
    code, levels, output = examine(f"redis://127.0.0.1:{deployment.redis[1].port}")
    assert code == 1 and levels["deployment"] == "FAIL" and "a replica of 127.0.0.1:" in output


def test_each_primary_of_a_cluster(servers):
    cluster = servers.add(RedisCluster(servers.folder, "redis", node_timeout_ms=60_000)).start()
    cluster.servers[1].ask("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    code, levels, output = examine(cluster.url)
    addresses = [f"127.0.0.1:{server.port}" for server in cluster.servers[:3]]
    for address in addresses:
        assert levels[f"deployment of {address}"] == levels[f"rights of {address}"] == "ok"
        assert f"deployment of {address}: a primary of a Redis Cluster with 3 primaries.\n" in output
    assert [subject for subject in bad(levels) if subject.startswith("memory")] == [f"memory of {addresses[1]}"]
    code, levels, output = examine(f"redis://{addresses[0]}")
    assert code == 1 and levels["deployment"] == "FAIL" and "redis+cluster://" in output


def with_user(server, name, password=PASSWORD):
    return server.url.replace("://", f"://{name}:{password}@")


def test_a_password_is_never_shown(servers):
    server = servers.redis(durable=True, fsync="always")
    server.client.call("ACL", "SETUSER", "usher", "on", ">" + PASSWORD, "~*", "&*", "+@all")
    assert PASSWORD not in examine(with_user(server, "usher"))[2]
    code, levels, output = examine(with_user(server, "usher", "a-wrong-password"))
    assert (code, levels) == (1, {"connection": "FAIL"})
    assert "WRONGPASS" in output and "a-wrong-password" not in output and PASSWORD not in output


def words_of_the_document(user):
    with open(os.path.join(REPOSITORY, "docs", "operations.md")) as file:
        [line] = re.findall(f"^ACL SETUSER {user} .*$", file.read(), re.MULTILINE)
    return line.replace("PASSWORD", PASSWORD).split()


def test_a_whole_life_with_the_documented_user(servers):
    """What the doctor says that the user needs is all that nodes, runners and scripts need."""
    server = servers.redis(durable=True, fsync="always")
    for user in ("usher", "usher-bot"):
        assert server.client.call(*words_of_the_document(user)) == "OK"
    url = with_user(server, "usher")
    code, levels, output = examine(url)
    assert code == 0 and set(bad(levels)) == {"persistence (appendonly is on)", "idle clients"}, output
    node = servers.node(url)
    runner = servers.runner(SimpleNamespace(url=url), node, BOT_REDIS=with_user(server, "usher-bot"))
    user = BotsUser(Admin(node))
    meeting = user.send_bot(language="en")
    user.wait_for_status(meeting, "active")
    wait_for(lambda: transcripts.read(user, meeting)["segments"], "a segment")
    assert user.request("PUT", f"{user.bot_path(meeting)}/config", {"language": "es"}).status == 202
    bot_id = user.bot_id(server.client, meeting)
    assert user.request("DELETE", user.bot_path(meeting)).status == 202
    user.wait_for_status(meeting, "completed")
    wait_until_gone(bot_id)
    workspace = Admin(node).create_workspace()
    planned = workspace.create_meeting()
    assert workspace.reinvite(planned, node=node).status == 202
    wait_for(lambda: len(runner.started) == 2, "the second bot")
    refused = {entry[entry.index("object") + 1] for entry in server.client.call("ACL", "LOG")}
    # What the doctor asked for in vain, and the runner, who would make users for bots.
    assert refused <= {"config|get", "acl|dryrun", "acl|users", "acl|deluser"}


def findings(process):
    """(verdict, subject) of each line at the start about Redis, those of the machine left out."""
    lines = process.said("Redis is not set up as it should be")
    for line in lines:
        assert line["level"] == "warning" and line["advice"], line
    return sorted((line["verdict"], line["subject"]) for line in lines if line["subject"] not in OF_THE_MACHINE)


def wait_for_the_examination(process, times=1):
    wait_for(lambda: len(process.said("Redis was looked at")) == times, f"the examination by {process.name}")


def test_nodes_and_runners_say_what_is_wrong(servers):
    server = servers.redis()
    server.client.call("CONFIG", "SET", "timeout", "3600")
    node = servers.node(server, LOOPS=3, LOG_LEVEL="debug")
    runner = servers.runner(server, node, LOG_LEVEL="debug")
    for process in (node, runner):
        wait_for_the_examination(process)
        assert findings(process) == [("FAIL", "persistence"), ("warn", "idle clients")]
    wait_for(lambda: "name=usher-doctor" not in server.client.call("CLIENT", "LIST"), "the end of its connections")
    for process in (node, runner):
        assert process.alive and len(process.said("Redis was looked at")) == 1


def test_up_has_nothing_to_say_of_its_own_redis(servers, folder):
    up = servers.add(Up(folder, "--log-level", "debug")).start()
    wait_for_the_examination(up, times=3)
    assert findings(up) == []


def test_an_examination_without_end_holds_up_nothing(servers):
    """Redis never answers the examination: the node is ready all the same, serves, and gives up looking."""
    server = servers.redis()
    proxy = servers.proxy(server)
    proxy.hold(lambda command: command[0] == b"INFO")
    node = servers.node(proxy, REDIS_TIMEOUT_MS=5000)
    assert Admin(node).create_workspace()
    wait_for(lambda: node.said("Redis was not looked at"), "the end of the examination")
    wait_for(node.is_serving, "its serving")
    assert node.alive and findings(node) == []
