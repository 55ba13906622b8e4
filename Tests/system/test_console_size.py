"""The console with much to show: the page holds a part of it, whatever there is. Of time nothing is asserted."""

from playwright.sync_api import expect

from harness.bots_user import BotsUser
from harness.console import lines
from harness.keys import meeting_owner, number_owner
from harness.transcripts import post, read, segment
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code

MEETINGS = 10_000
# As many as a meeting may have, but the last one, which comes while the page is open.
SEGMENTS = 49_999
# A line of a transcript has about ten, and no more than 900 are on the page.
MOST_NODES = 12_000

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


def nodes(tab):
    return tab.page.evaluate("document.querySelectorAll('*').length")


def test_ten_thousand_meetings(console, owner):
    redis = console.redis.client
    answer = owner.request("POST", "/meetings", {"meeting_url": f"https://meet.google.com/{random_meet_code()}"})
    first = answer.json
    keys = owner.keys
    begin = 10_000_000
    redis.call(
        "EVAL", COPY, 2, keys.meeting(first["data"]["meeting_id"]), keys.meetings, begin, begin + MEETINGS - 1,
        keys.meeting(""), meeting_owner(""), number_owner(""), owner.workspace_id)
    tab = console.browser.open(console.node.port).sign_in(owner.token)
    rows = tab.page.locator("li.row")
    expect(rows).to_have_count(50)
    expect(rows.first).to_contain_text(f"Copy {begin + MEETINGS - 1}")
    assert nodes(tab) < MOST_NODES
    for page in range(2, 5):
        tab.button("Older").click()
        expect(rows.first).to_contain_text(f"Copy {begin + MEETINGS - 1 - 50 * (page - 1)}")
        expect(rows).to_have_count(50)
    assert nodes(tab) < MOST_NODES
    # Among so many it looks as far as it says.
    tab.page.get_by_label("Search").fill(f"Copy {begin + 1}")
    tab.see("Nothing found among 2,000 meetings. “Older” looks further back.")
    tab.page.get_by_label("Search").fill(f"Copy {begin + MEETINGS - 700}")
    expect(rows).to_have_count(1)
    tab.end()


def test_a_transcript_of_fifty_thousand_lines(console, servers):
    redis = servers.redis()
    node = servers.node(redis)
    owner = BotsUser(Admin(node))
    meeting = owner.send_bot()
    bot = owner.play(redis.client, meeting, "joining", "active")
    for start in range(0, SEGMENTS, 1_000):
        answer = post(node, bot, {"segments": [
            segment(f"{number:05}", f"Line {number} of many", start=number, end=number + 1.0, speaker=f"P{number % 5}")
            for number in range(start, min(start + 1_000, SEGMENTS))]})
        assert answer.status in (200, 202, 204), answer
    tab = console.browser.open(node.port).sign_in(owner.token)
    tab.go(f"/meetings/{meeting['id']}")
    tab.see("49,999 lines")
    expect(lines(tab).last).to_contain_text(f"Line {SEGMENTS - 1} of many")
    assert lines(tab).count() <= 900 and nodes(tab) < MOST_NODES
    # What is said goes on at the end.
    answer = post(node, bot, {"segments": [segment("99999", "And one more", start=SEGMENTS + 5.0, end=SEGMENTS + 6.0)]})
    assert answer.status in (200, 202, 204), answer
    expect(lines(tab).last).to_contain_text("And one more")
    for _ in range(5):
        top = lines(tab).first.text_content()
        tab.button("Show what was said earlier").click()
        wait_for(lambda: lines(tab).first.text_content() != top, "earlier lines", interval_s=0.05)
        assert lines(tab).count() <= 900 and nodes(tab) < MOST_NODES
    tab.page.get_by_label("Find in it").fill("line 7 of")
    expect(tab.page.locator(".transcript .at")).to_contain_text("Line 7 of many")
    assert lines(tab).count() <= 900 and nodes(tab) < MOST_NODES
    # Nothing is lost further down either.
    tab.page.get_by_label("Find in it").fill("one more")
    expect(tab.page.locator(".transcript .at")).to_contain_text("And one more")
    assert len(read(owner, meeting)["segments"]) == SEGMENTS + 1
    tab.end()
