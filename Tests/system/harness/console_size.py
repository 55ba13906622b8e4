"""A workspace with more than a page can hold: for the tests of the console, and where its figures are measured."""

from harness.keys import meeting_owner, number_owner
from harness.transcripts import post, segment
from harness.workspace import random_meet_code

MEETINGS = 10_000
# The number of the first one.
FIRST = 10_000_000
# As many as a meeting may have, but the last one, which comes while the page is open.
SEGMENTS = 49_999

# By how much what was shown has jumped (Cumulative Layout Shift; up to 0.1 counts as good), from here on.
WATCH_JUMPS = """
window.jumped = 0;
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) window.jumped += shift.value;
}).observe({ type: 'layout-shift' });
"""

# Meetings like one that there is, so that nobody waits until ten thousand were asked for.
COPY = """
local record = redis.call('HGETALL', KEYS[1])
for number = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  local id = string.format('%032x', number)
  local key = ARGV[3] .. id
  redis.call('HSET', key, unpack(record))
  redis.call('HSET', key, 'id', id, 'number', number, 'title', 'Copy ' .. number)
  redis.call('SET', ARGV[4] .. id, ARGV[6])
  redis.call('SET', ARGV[5] .. number, ARGV[6] .. ' ' .. id)
  redis.call('ZADD', KEYS[2], number, id)
end
"""


def make_meetings(redis, owner):
    """Ten thousand of them, each called `Copy` and its number."""
    answer = owner.request("POST", "/meetings", {"meeting_url": f"https://meet.google.com/{random_meet_code()}"})
    keys = owner.keys
    redis.call(
        "EVAL", COPY, 2, keys.meeting(answer.json["data"]["meeting_id"]), keys.meetings, FIRST, FIRST + MEETINGS - 1,
        keys.meeting(""), meeting_owner(""), number_owner(""), owner.workspace_id)


def write_lines(redis, node, owner):
    """A meeting in which fifty thousand things were said, but for one, and its bot."""
    meeting = owner.send_bot()
    bot = owner.play(redis, meeting, "joining", "active")
    for start in range(0, SEGMENTS, 1_000):
        answer = post(node, bot, {"segments": [
            segment(f"{number:05}", f"Line {number} of many", start=number, end=number + 1.0, speaker=f"P{number % 5}")
            for number in range(start, min(start + 1_000, SEGMENTS))]})
        assert answer.status in (200, 202, 204), answer
    return meeting, bot
