"""Speakers in a lab's rooms, and a speech service that answers with a word for each pitch that it hears."""

import email.parser
import email.policy
import http.server
import io
import json
import math
import os
import ssl
import struct
import threading
import wave

from harness.process import Process
from harness.waiting import wait_for

RATE = 16_000
# Pitches in Hz, far from one another, and what the service makes of them.
WORDS = {330: "apple", 660: "bread", 1320: "cheese", 2640: "dates"}
CHROMIUM = "/usr/lib/chromium/chromium"
FLAGS = ["--headless=new", "--no-first-run", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-breakpad",
         "--mute-audio", "--disable-background-networking", "--disable-component-update",
         "--autoplay-policy=no-user-gesture-required", "--disable-features=WebRtcHideLocalIpsWithMdns"]


def write_tones(path, *parts):
    """A WAV file of (pitch in Hz or None for silence, seconds)."""
    samples = []
    for pitch, seconds in parts:
        for index in range(int(seconds * RATE)):
            samples.append(0 if pitch is None else int(9_000 * math.sin(2 * math.pi * pitch * index / RATE)))
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


class Speaker(Process):
    """One who joins a room in a browser of their own, and speaks a sound file when told to."""

    def __init__(self, folder, room, name, sound):
        page = f"{room.lab.url}/m/{room.code}?host&name={name}&sound={sound}"
        profile = os.path.join(folder, f"profile of {name}")
        super().__init__(
            name, [CHROMIUM, f"--user-data-dir={profile}", *FLAGS, page], {"HOME": folder}, folder)
        self.room = room

    def start(self):
        self.spawn()
        self.room.wait_for(self.name, "in")
        return self

    def say(self):
        """When it began to speak, in seconds since 1970."""
        before = len(self.room.wait_for(self.name, "in")["said"])
        self.room.do("say", self.room.wait_for(self.name, "in"))
        return wait_for(lambda: self.room.wait_for(self.name, "in")["said"][before:],
                        f"{self.name}'s speaking", interval_s=0.02)[0]["at"]


def pitch_of(samples):
    """By how often the sound crosses zero in its loud parts."""
    threshold = 2_000
    crossings = loud = 0
    before = 0
    for sample in samples:
        if abs(sample) > threshold:
            if before * sample < 0:
                crossings += 1
            before = sample
            loud += 1
    if loud < RATE / 20:
        return None
    # Of a sine of 9,000, this part of the time is above the threshold.
    seconds = loud / RATE / (1 - 2 / math.pi * math.asin(threshold / 9_000))
    return crossings / 2 / seconds


class SpeechService:
    """OpenAI's /v1/audio/transcriptions. `answer` is called with the request and returns None, or (status, headers, body)."""

    PATH = "/v1/audio/transcriptions"

    def __init__(self, answer=lambda request: None, port=0, certificate=None):
        """`certificate`: the files of a certificate for localhost and its key; with them it speaks HTTPS."""
        self.requests = []
        self.answer = answer
        owner, lock = self, threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                request = read_form(self)
                with lock:
                    owner.requests.append(request)
                status, headers, body = owner.answer(request) or (200, {}, owner.words(request))
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for field, value in {**headers, "Content-Length": len(body)}.items():
                    self.send_header(field, str(value))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}{self.PATH}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self.url = f"https://localhost:{self.port}{self.PATH}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def words(self, request):
        pitch = pitch_of(request["samples"])
        word = min(WORDS, key=lambda each: abs(math.log(each / pitch))) if pitch else None
        answer = {"text": f" {WORDS[word]} " if word else ""}
        return {**answer, "language": "english"} if request["response_format"] == "verbose_json" else answer

    def end(self):
        self._server.shutdown()
        self._server.server_close()


def read_form(handler):
    """The parts of a multipart form by their names, with the sound as `samples`."""
    body = handler.rfile.read(int(handler.headers["Content-Length"]))
    head = f"Content-Type: {handler.headers['Content-Type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    parts = {part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
             for part in message.iter_parts()}
    sound = parts.pop("file")
    with wave.open(io.BytesIO(sound)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        samples = struct.unpack(f"<{file.getnframes()}h", file.readframes(file.getnframes()))
    return {"path": handler.path, "authorization": handler.headers.get("Authorization"), "samples": samples,
            "sound": sound, **{name: value.decode() for name, value in parts.items()}}
