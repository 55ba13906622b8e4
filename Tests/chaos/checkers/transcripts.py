"""Every transcript segment that Redis acknowledged to a bot can be read, with its text.

A restart keeps the transcript (the Re-invite document: it "preserves the meeting's configuration (language,
participants, transcriptions, ...)"; `dispatch.lua` touches no segments). Only retention and the users' own DELETE of
a meeting remove it, and a run does neither. A segment that was acknowledged again has its latest text. Its id names
the bot, so it is looked for in all meetings of the room. Nobody makes a bot wait for replicas, so around a failover
Redis may forget what it has acknowledged to one (`checkers.failovers`): that is counted, and is no violation.
"""

from checkers.failovers import is_within, may_lack_locators
from history import Violation


def check(history):
    return [_violation(*found) for found in _without_record(history) if not _may_be_lost(history, found[0])]


def lost(history):
    """The acknowledged segments that cannot be read, where that is no violation."""
    return [segment for segment, _ in _without_record(history) if _may_be_lost(history, segment)]


def _may_be_lost(history, segment):
    """Around a failover, or if nothing leads to its meeting any more by the number that bots know."""
    return is_within(history, segment.at_ns) or may_lack_locators(history) and any(
        meeting.room == segment.room and meeting.bots is None for meeting in history.meetings)


def _without_record(history):
    """(segment, what is wrong with it)"""
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
            yield segment, "is not in any transcript of the room"
        elif text != segment.text:
            yield segment, f"reads {text!r}, but was {segment.text!r}"


def _violation(segment, sentence):
    return Violation("transcripts", segment.room, f"segment {segment.segment_id} of bot {segment.bot_id} {sentence}")
