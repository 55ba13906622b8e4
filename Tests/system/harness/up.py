"""`usher up`, and the commands that it prints."""

import json
import os
import subprocess

from harness.node import BINARY
from harness.ports import free_port
from harness.process import Process
from harness.waiting import wait_for

# However busy the machine is, nodes and commands get their answers from Redis, which may write each change to the disk
# first.
PATIENCE = {"USHER_REDIS_TIMEOUT_MS": "30000", "USHER_REQUEST_TIMEOUT_MS": "30000"}


class Up(Process):
    """`usher up` on a port and a data folder of its own, with one event loop a node."""

    def __init__(self, folder, *arguments, port=None, data=None, nodes=2, name="up", environment=None):
        self.port = port or free_port()
        self.data = data or os.path.join(folder, "data")
        super().__init__(
            name, [BINARY, "up", "--port", self.port, "--data", self.data, "--nodes", nodes, *arguments],
            {"USHER_LOOPS": "1", **PATIENCE, **(environment or {})}, folder)

    def start(self):
        """Starts it and returns once it has said that everything runs."""
        self.spawn()
        wait_for(self._is_ready, "the last line that `usher up` prints")
        return self

    def _is_ready(self):
        if not self.alive:
            raise AssertionError(f"usher up ended with status {self.wait()}\n{self.output}{self.log}")
        return "Ctrl-C" in self.output

    @property
    def curl_commands(self):
        """Every `curl` command of the output, whole, though it may be printed over several lines."""
        lines = self.output.replace("\\\n", " ").splitlines()
        return [line.strip().removeprefix("$ ") for line in lines
                if line.strip().removeprefix("$ ").startswith("curl ")]

    @property
    def reinvitations(self):
        """The two commands that re-invite, in the order of the output."""
        found = [command for command in self.curl_commands if "reinvite_bot" in command]
        assert len(found) == 2, self.output
        return found


def run_curl(command):
    """Runs a printed command as a shell does: (status, body as JSON or None)."""
    run = subprocess.run(
        ["bash", "-c", command + r" -sS -o /dev/fd/1 -w '\n%{http_code}\n'"], capture_output=True, text=True,
        timeout=60, check=True)
    body, _, status = run.stdout.rstrip("\n").rpartition("\n")
    start = body.find("{")
    return int(status), json.loads(body[start:]) if start >= 0 else None


def run_usher(*arguments, environment=None, cwd=None):
    """Runs a command that ends by itself: (exit code, standard output, standard error)."""
    run = subprocess.run(
        [BINARY, *[str(argument) for argument in arguments]], capture_output=True, text=True, timeout=300, cwd=cwd,
        env={"PATH": os.environ.get("PATH", ""), **PATIENCE, **(environment or {})}, stdin=subprocess.DEVNULL)
    return run.returncode, run.stdout, run.stderr
