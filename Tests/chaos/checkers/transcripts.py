"""Every transcript segment that Redis acknowledged to a bot can be read, with its text.

A restart keeps the transcript (the Re-invite document: it "preserves the meeting's configuration (language,
participants, transcriptions, ...)"; `dispatch.lua` touches no segments). Only retention and the users' own DELETE of
a meeting remove it, and a run does neither. A segment that was acknowledged again has its latest text. Its id names
the bot, so it is looked for in all meetings of the room.
"""

from history import Violation


def check(history):
    return list(_violations(history))


def _violations(history):
    readable = {}
    for meeting in history.meetings:
        readable.setdefault(meeting.room, {}).update(meeting.segments)
    latest = {}
    for segment in sorted(history.acknowledged, key=lambda segment: segment.at_ns):
        if history.looked_ns is None or segment.at_ns <= history.looked_ns:
            latest[segment.room, segment.segment_id] = segment
    for segment in latest.values():
        text = readable.get(segment.room, {}).get(segment.segment_id)
        if text is None:
            yield _lost(segment, "is not in any transcript of the room")
        elif text != segment.text:
            yield _lost(segment, f"reads {text!r}, but was {segment.text!r}")


def _lost(segment, sentence):
    return Violation("transcripts", segment.room, f"segment {segment.segment_id} of bot {segment.bot_id} {sentence}")
