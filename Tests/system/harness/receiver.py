"""A receiver of webhooks, that answers as it is told to."""

import http.server
import json
import ssl
import threading
import time

from harness.waiting import wait_for


class Delivery:
    """One request."""

    def __init__(self, path, headers, body):
        self.path = path
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body
        self.json = json.loads(body)
        self.at = time.monotonic()

    @property
    def event_id(self):
        return self.json["event_id"]

    @property
    def type(self):
        return self.json["event_type"]


class Deliveries:
    """What a receiver was told. It has a `scheme`, a `port` and an `end`."""

    def __init__(self):
        self.deliveries = []

    def url(self, host="127.0.0.1", path="/hook"):
        return f"{self.scheme}://{host}:{self.port}{path}"

    def of_type(self, kind):
        return [delivery for delivery in list(self.deliveries) if delivery.type == kind]

    def wait_for(self, kind, count=1):
        """The deliveries of a type, once there are so many."""
        wait_for(lambda: len(self.of_type(kind)) >= count, f"{count} deliveries of {kind}")
        return self.of_type(kind)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class Receiver(Deliveries):
    """Listens on `address` until `end`. `answer` is called with each delivery, in a thread of its own, and returns the
    status, the header fields and the body to answer with; by default 200."""

    def __init__(self, answer=None, certificate=None, address=("127.0.0.1", 0)):
        """`certificate`: the files of a certificate and its key; with them it speaks HTTPS."""
        super().__init__()
        self.answer = answer or (lambda delivery: (200, {}, b"ok"))
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                delivery = Delivery(self.path, self.headers, body)
                receiver.deliveries.append(delivery)
                status, fields, text = receiver.answer(delivery)
                self.send_response(status)
                for name, value in {"content-length": str(len(text)), **fields}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                # Those that a test cuts off.
                pass

        self._server = Server(address, Handler)
        self.port = self._server.server_address[1]
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self.scheme = "https"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def end(self):
        self._server.shutdown()
        self._server.server_close()
