"""The stack of compose.yaml through its day: up, healthy, a bot's life, losses and updates under load, down.

Called by `Tests/compose/run`, which sees to the Docker daemon and to the images.
"""

import argparse
import json
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))

from harness.http_client import NO_BODY, request  # noqa: E402
from harness.load import Load  # noqa: E402

PROJECT = "usher-compose-test"
# Everything is bounded, and generously: images are built and containers started on machines that do other work too.
BUILD_S, START_S, CONVERGE_S = 3600, 240, 120
# Other than what it has by itself.
RUNNER_MEBIBYTES = 300


class Failure(Exception):
    """What did not hold, in a sentence."""


def require(condition, what):
    if not condition:
        raise Failure(what)


def wait_for(condition, what, deadline_s=CONVERGE_S):
    """Asks until the answer is true, and returns it."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.2)
    raise Failure(f"{what} did not happen within {deadline_s} s")


class Stack:
    """The containers, by Debian's docker and any compose."""

    def __init__(self, docker, compose, port):
        self.docker_path = docker
        self._compose = compose.split()
        self.port = port
        self._environment = {
            **os.environ, "USHER_PUBLISHED_PORT": str(port), "COMPOSE_PROJECT_NAME": PROJECT,
            "USHER_RUNNER_MEMORY": f"{RUNNER_MEBIBYTES}m"}

    def compose(self, *arguments, deadline_s=START_S):
        return self._run([*self._compose, *arguments], deadline_s)

    def docker(self, *arguments, deadline_s=60):
        return self._run([self.docker_path, *arguments], deadline_s)

    def _run(self, command, deadline_s):
        done = subprocess.run(
            command, capture_output=True, text=True, env=self._environment, timeout=deadline_s)
        require(done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout.strip()

    def containers(self, service=None):
        """The ids of the service's running containers, or of all."""
        filters = ["--filter", f"label=com.docker.compose.project={PROJECT}"]
        if service:
            filters += ["--filter", f"label=com.docker.compose.service={service}"]
        return self.docker("ps", "--quiet", *filters).split()

    def inspect(self, container):
        return json.loads(self.docker("inspect", container))[0]

    def is_healthy(self, container):
        """Whether it runs, and its health check, if it has one, says so."""
        state = self.inspect(container)["State"]
        return state["Running"] and state.get("Health", {"Status": "healthy"})["Status"] == "healthy"

    def is_whole(self):
        wanted = {"redis": 1, "node": 3, "runner": 2, "balancer": 1}
        return all(len(self.containers(service)) == count for service, count in wanted.items()) and all(
            self.is_healthy(container) for container in self.containers())

    def request(self, method, path, body=NO_BODY, headers=()):
        return request(self.port, method, path, body=body, headers=headers)

    def is_ready(self):
        try:
            return self.request("GET", "/readyz").status == 200
        except OSError:
            return False

    def logs(self):
        """The end of each container's log, and the state of each."""
        texts = [
            subprocess.run(
                [*self._compose, *arguments], capture_output=True, text=True, env=self._environment, timeout=60).stdout
            for arguments in (["logs", "--no-color", "--tail", "20"], ["ps"])]
        return "\n".join(texts)


class User:
    """A user of the bots API, made on a node by `usher admin`."""

    def __init__(self, stack):
        self.stack = stack
        node = stack.containers("node")[0]
        # Its configuration is in the container's environment.
        made = json.loads(stack.docker(
            "exec", node, "usher", "admin", "create-user", "--email", "compose@example.com", "--max-concurrent-bots",
            "100000", "--log-level", "error"))
        made = made.get("user", made)
        key = json.loads(stack.docker(
            "exec", node, "usher", "admin", "create-key", "--workspace-id", made["workspace_id"], "--user-id",
            str(made["id"]), "--scopes", "bots,seameet", "--log-level", "error"))
        self._headers = {"X-API-Key": key["key"]}
        self._numbers = threading.Lock()
        self._number = 0

    def room(self):
        """A Google Meet code that was not used before."""
        with self._numbers:
            self._number += 1
            number = self._number
        letters = ""
        for _ in range(4):
            number, digit = divmod(number, 26)
            letters += chr(ord("a") + digit)
        return f"usr-{letters}-bot"

    def request(self, method, path, body=NO_BODY):
        return self.stack.request(method, path, body, self._headers)

    def send_bot(self, room):
        return self.request("POST", "/bots", {"platform": "google_meet", "native_meeting_id": room})

    def stop_bot(self, room):
        return self.request("DELETE", f"/bots/google_meet/{room}")

    def has_record(self, room):
        return self.request("GET", f"/transcripts/google_meet/{room}").status == 200

    def status(self, room):
        """(bot status, completion reason) of the room's newest meeting."""
        answer = self.request("GET", "/meetings?limit=100")
        require(answer.status == 200, f"GET /meetings: {answer}")
        for meeting in answer.json["meetings"]:
            if meeting["native_meeting_id"] == room:
                return meeting["status"], meeting["completion_reason"]
        return None, None


class Operation:
    """A step of the load: a read, or a bot that is sent to a new room and stopped. Gives the outcome, the seconds and
    the room of each request."""

    def __init__(self, user):
        self.user = user

    def __call__(self, number):
        if number % 2:
            return [self._timed("GET", None, 200, lambda: self.user.request("GET", "/bots?limit=1"))]
        room = self.user.room()
        results = [self._timed("POST", room, 201, lambda: self.user.send_bot(room))]
        if results[0][0] == "ok":
            results.append(self._timed("DELETE", None, 202, lambda: self.user.stop_bot(room)))
        return results

    def _timed(self, method, room, wanted, ask):
        started = time.monotonic()
        try:
            status = ask().status
            outcome = "ok" if status == wanted else f"{method} {status}"
        except OSError as error:
            outcome = f"{method} {type(error).__name__}"
        return outcome, time.monotonic() - started, room


def under_load(user, work, threads=4):
    """Does `work` while there is load. Returns its results."""
    load = Load(Operation(user), threads=threads).start()
    load.wait_for_more(20, "the load before")
    work()
    load.wait_for_more(20, "the load after")
    return [result for results in load.stop() for result in results]


def summary(results):
    failed = [outcome for outcome, _, _ in results if outcome != "ok"]
    longest = max(seconds for _, seconds, _ in results)
    kinds = ", ".join(sorted(set(failed)))
    return f"{len(results)} requests, {len(failed)} failed{f' ({kinds})' if kinds else ''}, longest {longest:.2f} s"


def step(text):
    print(time.strftime("%H:%M:%S", time.gmtime()), text, flush=True)


def bots_life(user):
    room = user.room()
    answer = user.send_bot(room)
    require(answer.status == 201, f"POST /bots: {answer}")
    require(user.send_bot(room).status == 409, "a second bot for the room was not refused")
    wait_for(lambda: user.status(room)[0] == "active", "a bot in its room")
    wait_for(lambda: b'"text"' in user.request("GET", f"/transcripts/google_meet/{room}").body, "a transcript")
    answer = user.stop_bot(room)
    require(answer.status == 202, f"DELETE of a bot: {answer}")
    wait_for(lambda: user.status(room) == ("completed", "stopped"), "the bot's end")


def kill_a_node(stack):
    """As if it had crashed: its main process is killed, and the restart policy brings it back."""
    container = stack.containers("node")[0]
    process = stack.inspect(container)["State"]["Pid"]
    os.kill(process, 9)
    wait_for(lambda: stack.inspect(container)["State"]["Pid"] not in (0, process), "the node's restart")
    wait_for(stack.is_whole, "a whole stack after a node was killed")


def restart_nodes(stack):
    for container in stack.containers("node"):
        stack.docker("restart", "--time", "20", container)
        wait_for(lambda: stack.is_healthy(container), "a node's health after its restart")


def restart_redis(stack):
    stack.docker("restart", "--time", "30", stack.containers("redis")[0])
    wait_for(stack.is_whole, "a whole stack after the restart of Redis")
    wait_for(stack.is_ready, "readiness after the restart of Redis")


def check_confinement(stack):
    """Nobody is root, nothing can be written, no privilege is left; all is bounded, and published on loopback."""
    for container in stack.containers():
        found = stack.inspect(container)
        host = found["HostConfig"]
        require(host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"], f"{found['Name']} is not confined")
        user = stack.docker("exec", container, "id", "-u")
        require(user != "0", f"{found['Name']} runs as root")
        for bindings in (host["PortBindings"] or {}).values():
            require(all(binding["HostIp"] == "127.0.0.1" for binding in bindings), "a port is open to the world")
        require(host["Memory"] and host["PidsLimit"], f"{found['Name']} may take all of the machine")
    for runner in stack.containers("runner"):
        require(stack.inspect(runner)["HostConfig"]["Memory"] == RUNNER_MEBIBYTES << 20, "a runner's memory is another")


def build(stack):
    step("Building the image")
    started = time.monotonic()
    stack.compose("build", deadline_s=BUILD_S)
    step(f"Built in {time.monotonic() - started:.0f} s")


def run(stack):
    size = int(stack.docker("image", "inspect", "--format", "{{.Size}}", "usher"))
    base = int(stack.docker("image", "inspect", "--format", "{{.Size}}", "debian:bookworm-slim"))
    step(f"The image has {size / 1e6:.1f} MB, of which its base has {base / 1e6:.1f}")

    step("Nodes, runners and the balancer first: their Redis has no name yet")
    stack.compose("up", "--detach", "--no-deps", "node", "runner", "balancer")
    for service in ("node", "runner"):
        wait_for(lambda: "cannot resolve redis" in stack.compose("logs", "--no-color", service),
                 f"the word of a {service} that it waits")
    require(not stack.is_ready(), "it is ready without a Redis")
    stack.compose("up", "--detach")
    wait_for(stack.is_whole, "a whole stack", START_S)
    wait_for(stack.is_ready, "readiness")
    stack.compose("down", "--timeout", "1", "--volumes")
    started = time.monotonic()
    stack.compose("up", "--detach")
    wait_for(stack.is_whole, "a whole stack", START_S)
    wait_for(stack.is_ready, "readiness")
    step(f"All healthy {time.monotonic() - started:.1f} s after `up`")
    check_confinement(stack)

    user = User(stack)
    bots_life(user)
    step("A bot lived its life through the balancer")

    results = under_load(user, lambda: restart_nodes(stack))
    step(f"Rolling restart of three nodes: {summary(results)}")
    require(all(outcome == "ok" for outcome, _, _ in results), "a rolling restart failed a request")

    results = under_load(user, lambda: kill_a_node(stack))
    step(f"A node killed: {summary(results)}")
    require(all(outcome == "ok" for outcome, _, _ in results), "a killed node failed a request")

    results = under_load(user, lambda: restart_redis(stack))
    step(f"Redis restarted: {summary(results)}")
    accepted = [room for outcome, _, room in results if outcome == "ok" and room]
    lost = [room for room in accepted if not user.has_record(room)]
    require(not lost, f"{len(lost)} of {len(accepted)} accepted dispatches have no record")
    for room in accepted:
        user.stop_bot(room)
    bots_life(user)
    step(f"None of {len(accepted)} accepted dispatches was lost, and a bot lived its life again")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docker", default="/usr/bin/docker")
    parser.add_argument("--compose", default="/usr/bin/docker-compose", help="a command: 'docker compose' for v2")
    parser.add_argument("--port", type=int, default=18080, help="the port to publish, on loopback")
    parser.add_argument("--no-build", action="store_true", help="take the image `usher` as it is")
    options = parser.parse_args()
    stack = Stack(options.docker, options.compose, options.port)
    try:
        if not options.no_build:
            build(stack)
        run(stack)
        step("Going down")
        stack.compose("down", "--volumes", deadline_s=START_S)
        require(not stack.containers(), "containers are left after `down`")
        step("Done")
    except (Failure, subprocess.TimeoutExpired, AssertionError) as failure:
        print(f"{stack.logs()}\nFAILED: {failure}", file=sys.stderr)
        stack.compose("down", "--volumes", "--timeout", "1", deadline_s=START_S)
        sys.exit(1)


if __name__ == "__main__":
    main()
