"""A Redis that takes TLS alone, as managed ones do, of each kind (docs/operations.md, "TLS to Redis").

TLS lies below the commands: what the tests of both APIs ask goes the same way, so here it is the way that is tried: of nodes,
a runner, its bots and the commands, to single servers, Sentinels and clusters, and what does not fit.
"""

import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.bots_user import BotsUser
from harness.certificates import Certificates
from harness.deployments import RedisCluster, SentinelDeployment, SingleServer
from harness.node import BINARY
from harness.waiting import wait_for
from harness.workspace import Admin

KINDS = {"single": SingleServer, "sentinel": SentinelDeployment, "cluster": RedisCluster}


@pytest.fixture(scope="module")
def certificates(module_servers):
    return Certificates(module_servers.folder, "DNS:localhost,IP:127.0.0.1")


class Scene:
    def __init__(self, servers, certificates, kind):
        self.deployment = servers.add(KINDS[kind](servers.folder, f"{kind}-tls", tls=certificates)).start()
        settings = {"REDIS_CA": certificates.authority}
        self.node = servers.node(self.deployment, **settings)
        # In a folder of its own, from which a path that it was given would lead elsewhere.
        self.runner = servers.runner(
            self.deployment, self.node, BOT_REDIS=self.deployment.bot_url, LEASE_TTL_MS=9000, **settings)
        self.user = BotsUser(Admin(self.node))

    def live(self):
        """A bot's life: it is sent, talks, hears that it is to leave, and leaves."""
        meeting = self.user.send_bot()
        self.user.wait_for_status(meeting, "active")
        path = f"/transcripts/{meeting['platform']}/{meeting['native_meeting_id']}"
        wait_for(lambda: self.user.request("GET", path).json["segments"], "a transcript", interval_s=0.05)
        assert self.user.request("DELETE", self.user.bot_path(meeting)).status == 202
        self.user.wait_for_status(meeting, "completed")


@pytest.mark.parametrize("kind", KINDS)
def test_a_bot_lives(servers, certificates, kind):
    scene = Scene(servers, certificates, kind)
    scene.live()
    if kind == "sentinel":
        former = scene.deployment.primary()
        former.kill()
        wait_for(lambda: scene.deployment.primary() is not former, "the failover")
        scene.user.is_patient = True
        assert scene.user.request("GET", "/meetings").status == 200


def doctor(url, *arguments):
    """(exit code, output) of `usher doctor`."""
    done = subprocess.run([BINARY, "doctor", "--redis", url, "--redis-timeout-ms", "8000", *arguments], env={},
                          text=True, timeout=120, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def test_what_does_not_fit_is_said_in_one_sentence(servers, certificates, tmp_path):
    server = servers.add(SingleServer(servers.folder, "tls", tls=certificates)).start()
    strict = servers.add(
        SingleServer(servers.folder, "strict", ("--tls-auth-clients", "yes"), certificates))
    plain = servers.add(SingleServer(servers.folder, "plain")).start()
    # The tests' own connections show no certificate.
    strict.servers[0].spawn()
    ours = ("--redis-ca", certificates.authority)
    other = Certificates(tmp_path)
    status, said = doctor(server.url, *ours)
    assert "encryption: TLS, by a certificate that is verified" in said, said
    misfits = (
        (server.url, (), "the server's certificate is not accepted: self-signed certificate in certificate chain"),
        (server.url, ("--redis-ca", other.authority), "the server's certificate is not accepted: "),
        (server.url, (*ours, "--redis-server-name", "redis.example.com"), "not accepted: hostname mismatch"),
        (strict.url, ours, "it wants a client's certificate"),
        (strict.url, (*ours, "--redis-cert", other.own[0], "--redis-key", other.own[1]), "TLS: "),
        (plain.url.replace("redis:", "rediss:"), ours, "does it speak TLS?"),
    )
    # All of the patience is waited for, so all wait at once.
    with ThreadPoolExecutor(len(misfits)) as pool:
        answers = list(pool.map(lambda misfit: doctor(misfit[0], *misfit[1]), misfits))
    for (_, _, words), (status, said) in zip(misfits, answers):
        [line] = [line for line in said.splitlines() if line.startswith("FAIL")]
        assert status == 1 and line.startswith("FAIL  connection: ") and words in line, said
    status, said = doctor(strict.url, *ours, "--redis-cert", certificates.own[0], "--redis-key", certificates.own[1])
    assert "encryption: TLS" in said, said
    status, said = doctor(server.url, "--redis-ca", "/nonexistent.pem")
    assert status == 2 and "The authorities of /nonexistent.pem cannot be used" in said, said
