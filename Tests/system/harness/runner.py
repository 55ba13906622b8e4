"""One `usher runner` process, of simulated bots."""

import shlex

from harness.node import BINARY
from harness.process import Process, is_running
from harness.waiting import wait_for


class Runner(Process):
    """`settings` are environment variables without their prefix, of the runner and of its simulated bots.

    `launch` is a shell's text; {usher} in it stands for the simulated bot's command.
    """

    def __init__(self, folder, redis_url, node, name="runner", launch="exec {usher}", **settings):
        script = launch.replace("{usher}", f"{shlex.quote(BINARY)} simulate-bot")
        environment = {
            "USHER_REDIS": redis_url, "USHER_API_URL": f"http://127.0.0.1:{node.port}",
            "USHER_LAUNCH": f"sh -c {shlex.quote(script)}", "USHER_PASS_ENVIRONMENT": "USHER_SIMULATE*",
            "USHER_CAPACITY": "30",
        }
        environment.update({f"USHER_{setting}": str(value) for setting, value in settings.items()})
        super().__init__(name, [BINARY, "runner"], environment, folder)

    def start(self):
        self.spawn()
        return self

    def wait_until_gone(self, processes, what):
        wait_for(lambda: not any(is_running(process) for process in processes), what)
