"""A server of calendars' feeds, that answers as it is told to, and feeds as lines."""

import datetime
import http.server
import threading


class FeedServer:
    """Listens on 127.0.0.1 until `end`. What stands under a path in `feeds` is its body; a function there is called with
    the handler and answers by itself."""

    def __init__(self):
        self.feeds = {}
        # (path, If-None-Match), in their order.
        self.requests = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                server.requests.append((self.path, self.headers.get("if-none-match")))
                body = server.feeds.get(self.path)
                if callable(body):
                    body(self)
                    return
                if body is None:
                    self.answer(404, b"")
                    return
                tag = f'"{hash(body)}"'
                if self.headers.get("if-none-match") == tag:
                    self.answer(304, b"", ETag=tag)
                else:
                    self.answer(200, body, ETag=tag)

            def answer(self, status, body, **fields):
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **fields}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                # Those that a node cuts off.
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def end(self):
        self._server.shutdown()
        self._server.server_close()


def utc(seconds_from_now):
    """A full second, as feeds have them."""
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    return now + datetime.timedelta(seconds=seconds_from_now)


def event(uid, start, room, minutes=30, title="A meeting", lines=()):
    end = start + datetime.timedelta(minutes=minutes)
    return ["BEGIN:VEVENT", f"UID:{uid}", f"DTSTART:{start:%Y%m%dT%H%M%SZ}", f"DTEND:{end:%Y%m%dT%H%M%SZ}",
            f"SUMMARY:{title}", f"LOCATION:https://meet.google.com/{room}", *lines, "END:VEVENT"]


def feed(*events):
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", *[line for one in events for line in one], "END:VCALENDAR", ""]
    return "\r\n".join(lines).encode()
