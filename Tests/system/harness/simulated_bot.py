"""One `usher simulate-bot` process, and a server that takes its reports."""

import http.server
import json
import threading
import uuid

from harness.node import BINARY
from harness.process import Process
from harness.waiting import wait_for


class Callbacks:
    """Takes POSTs on a port of its own. `answer` is called with (body, number) and returns the status."""

    def __init__(self, answer=lambda body, number: 200):
        self.received = []
        owner, lock = self, threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with lock:
                    number = len(owner.received)
                    owner.received.append((self.headers.get("x-internal-secret"), body))
                self.send_response(answer(body, number))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self):
                """The statuses so far, for pages that go on as the bot does."""
                body = json.dumps(owner.statuses).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Access-Control-Allow-Origin", "*")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass  # The test shows what was received, if it fails.

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/internal/bots/status"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def reports(self):
        return [json.loads(body) for _, body in list(self.received)]

    @property
    def statuses(self):
        return [report.get("status") for report in self.reports]

    def end(self):
        self._server.shutdown()
        self._server.server_close()


class SimulatedBot(Process):
    """`settings` are environment variables without USHER_: `SimulatedBot(..., SIMULATE="rejected")`."""

    COMMAND = "simulate-bot"

    def __init__(self, folder, redis_url, callbacks, name="bot", number=17, config=None, **settings):
        self.bot_id = str(uuid.uuid4())
        self.number = number
        self.config = {
            "platform": "google_meet", "meetingUrl": "https://meet.google.com/abc-defg-hij", "botName": "Usher",
            "redisUrl": redis_url, "nativeMeetingId": "abc-defg-hij", "connectionId": self.bot_id,
            "meeting_id": number, "meetingApiCallbackUrl": callbacks.url, "internalSecret": f"secret-{name}",
            **(config or {}),
        }
        environment = {
            "VEXA_BOT_CONFIG": json.dumps(self.config), "USHER_SIMULATE_JOIN_MS": "20",
            "USHER_SIMULATE_LOBBY_MS": "20", "USHER_SIMULATE_SEGMENT_MS": "40",
            **{f"USHER_{setting}": str(value) for setting, value in settings.items()},
        }
        super().__init__(name, [BINARY, self.COMMAND], environment, folder)

    def start(self):
        self.spawn()
        return self

    @property
    def command_name(self):
        """What `ps` shows."""
        with open(f"/proc/{self.pid}/comm") as file:
            return file.read().strip()

    def wait_for_status(self, callbacks, status):
        wait_for(lambda: status in callbacks.statuses, f"{self.name}'s report of {status}")
