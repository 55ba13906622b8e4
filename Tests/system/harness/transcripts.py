"""Transcripts as bots send them and users read them."""

import json

from harness.waiting import DEADLINE_S, wait_for

STREAM = "transcription_segments"


def segment(segment_id, text, start=1.0, end=2.0, **fields):
    """A segment of the wire, confirmed unless told otherwise."""
    return {"segment_id": segment_id, "speaker": "Anna", "text": text, "start": start, "end": end,
            "language": None, "completed": True, **fields}


def write(redis, meeting, *segments, **fields):
    """Writes a message of segments to the stream, and returns the entry's id."""
    return write_message(redis, {
        "type": "transcription", "meeting_id": meeting["id"], "native_meeting_id": meeting["native_meeting_id"],
        "segments": list(segments), **fields})


def write_message(redis, message):
    return redis.call("XADD", STREAM, "*", "payload", json.dumps(message))


def post(node, bot, body, secret=None):
    """Sends a body to a played bot's segments path and returns the answer."""
    return node.request(
        "POST", f"/internal/bots/{bot.bot_id}/segments", body=body,
        headers={"x-internal-secret": bot.secret if secret is None else secret})


def read(user, meeting, node=None, query=""):
    """The transcript object."""
    path = f"/transcripts/{meeting['platform']}/{meeting['native_meeting_id']}{query}"
    answer = user.request("GET", path, node=node)
    assert answer.status == 200, answer
    return answer.json


def texts(user, meeting, **options):
    return [segment["text"] for segment in read(user, meeting, **options)["segments"]]


def wait_for_texts(user, meeting, wanted, deadline_s=DEADLINE_S):
    wait_for(lambda: texts(user, meeting) == wanted, f"the transcript {wanted}", deadline_s, interval_s=0.05)
