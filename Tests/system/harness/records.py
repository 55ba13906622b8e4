"""Records by the thousand, written as the scripts write them, but at once."""

import secrets

from harness.keys import meeting_owner


def add_meetings(redis, keys, count, first=1, **fields):
    """Meetings of a workspace with the numbers from `first` on, all in one room, without a bot unless fields say so."""
    commands = []
    for number in range(first, first + count):
        meeting = secrets.token_hex(16)
        record = {
            "id": meeting, "number": number, "workspace_id": keys.workspace_id, "platform": "google_meet",
            "native_meeting_id": "abc-defg-hij", "meeting_url": "https://meet.google.com/abc-defg-hij",
            "status": "INITIAL", "created_at": 1_790_000_000_000 + number, "created_by": 1, **fields}
        commands.append(("HSET", keys.meeting(meeting), *[part for pair in record.items() for part in pair]))
        commands.append(("SET", meeting_owner(meeting), keys.workspace_id))
        commands.append(("ZADD", keys.meetings, number, meeting))
    _in_batches(redis, commands)


def add_segments(redis, keys, meeting_id, count, text):
    """Confirmed segments of one session, the last one first, each with its number and the text."""
    key = f"{keys.meeting(meeting_id)}:segments"
    commands = []
    for number in reversed(range(count)):
        json = '{"completed":true,"end":2,"segment_id":"%d","speaker":"Anna","start":1,"text":"%d %s"}' % (
            number, number, text)
        commands.append(("HSET", key, f"bot:{number}", f"1790000000000-0 c {number} {number} - {json}"))
    _in_batches(redis, commands)


def _in_batches(redis, commands):
    for start in range(0, len(commands), 500):
        redis.pipeline(commands[start:start + 500])
