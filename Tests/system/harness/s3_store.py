"""A small store that speaks as much of S3 as the archive needs. It checks signatures by AWS Signature Version 4 itself, and can
be made slow, away, or to lie."""

import datetime
import hashlib
import hmac
import http.server
import re
import threading
import time

REGION, ACCESS_KEY, SECRET_KEY = "eu-test-1", "the-access-key", "the/secret+key"
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/s3/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})")


def signature(method, path, headers, signed, payload_hash, secret=SECRET_KEY, region=REGION):
    """What a request's signature must be. `headers` by their names in lower case; `path` has nothing that is escaped."""
    lines = [f"{name}:{' '.join(headers[name].split())}\n" for name in signed]
    canonical = "\n".join([method, path, "", "".join(lines), ";".join(signed), payload_hash])
    stamp = headers["x-amz-date"]
    scope = f"{stamp[:8]}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in (stamp[:8], region, "s3", "aws4_request", text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()


class S3Store:
    """Listens on 127.0.0.1 until `end`, with one bucket."""

    def __init__(self, bucket="transcripts"):
        self.bucket = bucket
        self.objects = {}
        self.refused = []
        # "": as it should; "away": 503; "denied": 403; "forgets": takes what is written and does not keep it;
        # "spoils": keeps something else; "slow": waits; "no bucket": 404; "keeps": removes nothing; and, as another server in
        # its place, "lost": 404, and "portal": 200.
        self.mood = ""
        store = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, body=b""):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                problem = store.problem(self.command, self.path, self.headers, body)
                if problem:
                    store.refused.append(problem)
                    return self.answer(403, f"<Error><Code>{problem}</Code></Error>".encode())
                self.answer(*store.act(self.command, self.path, body))

            do_GET = do_PUT = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def settings(self):
        return {
            "ARCHIVE": f"s3://{self.bucket}/usher/test", "ARCHIVE_AFTER_MS": 0, "ARCHIVE_S3_ENDPOINT": self.url,
            "ARCHIVE_S3_REGION": REGION, "ARCHIVE_S3_ACCESS_KEY": ACCESS_KEY, "ARCHIVE_S3_SECRET_KEY": SECRET_KEY}

    def files(self):
        return sorted(self.objects)

    @staticmethod
    def problem(method, path, headers, body):
        """Why a request is refused; None if it is signed right."""
        headers = {name.lower(): value for name, value in headers.items()}
        match = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        if not match:
            return "AccessDenied"
        access, day, region, signed, given = match.groups()
        signed = signed.split(";")
        if (access, region) != (ACCESS_KEY, REGION) or signed != sorted(signed):
            return "InvalidAccessKeyId"
        if not set(signed) <= set(headers) or not {"host", "x-amz-date", "x-amz-content-sha256"} <= set(signed):
            return "AccessDenied"
        at = datetime.datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        if abs(at.timestamp() - time.time()) > 900 or not headers["x-amz-date"].startswith(day):
            return "RequestTimeTooSkewed"
        if headers["x-amz-content-sha256"] != hashlib.sha256(body).hexdigest():
            return "XAmzContentSHA256Mismatch"
        wanted = signature(method, path, headers, signed, headers["x-amz-content-sha256"])
        return None if hmac.compare_digest(given, wanted) else "SignatureDoesNotMatch"

    def act(self, method, path, body):
        if self.mood == "away":
            return 503, b"<Error><Code>SlowDown</Code></Error>"
        if self.mood == "denied":
            return 403, b"<Error><Code>AccessDenied</Code></Error>"
        if self.mood == "lost":
            return 404, b"default backend - 404"
        if self.mood == "portal":
            return 200, b"<html>Welcome</html>"
        if self.mood == "keeps" and method == "DELETE":
            return 403, b"<Error><Code>AccessDenied</Code></Error>"
        if self.mood == "slow":
            time.sleep(1)
        start, name = f"/{self.bucket}/", path.removeprefix(f"/{self.bucket}/")
        if not path.startswith(start) or self.mood == "no bucket":
            return 404, b"<Error><Code>NoSuchBucket</Code></Error>"
        if method == "PUT":
            if self.mood != "forgets":
                self.objects[name] = body[:-1] + b"?" if self.mood == "spoils" else body
            return 200, b""
        if method == "DELETE":
            self.objects.pop(name, None)
            return 204, b""
        if name not in self.objects:
            return 404, b"<Error><Code>NoSuchKey</Code></Error>"
        return 200, self.objects[name]

    def end(self):
        self._server.shutdown()
        self._server.server_close()
