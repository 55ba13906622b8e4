"""The console with much to show: the page holds a part of it, whatever there is. Of time nothing is asserted: that is
measured by `make console-bench`."""

from playwright.sync_api import expect

from harness.bots_user import BotsUser
from harness.console import lines
from harness.console_size import FIRST, MEETINGS, SEGMENTS, WATCH_JUMPS, make_meetings, write_lines
from harness.transcripts import post, read, segment
from harness.waiting import wait_for
from harness.workspace import Admin

# A line of a transcript has about ten, and no more than 900 are on the page.
MOST_NODES = 12_000


def nodes(tab):
    return tab.page.evaluate("document.querySelectorAll('*').length")


def test_ten_thousand_meetings(console, owner):
    make_meetings(console.redis.client, owner)
    tab = console.browser.open(console.node.port).sign_in(owner.token)
    rows = tab.page.locator("li.row")
    expect(rows).to_have_count(50)
    expect(rows.first).to_contain_text(f"Copy {FIRST + MEETINGS - 1}")
    assert nodes(tab) < MOST_NODES
    for page in range(2, 5):
        tab.button("Older").click()
        expect(rows.first).to_contain_text(f"Copy {FIRST + MEETINGS - 1 - 50 * (page - 1)}")
        expect(rows).to_have_count(50)
    assert nodes(tab) < MOST_NODES
    # Among so many it looks as far as it says.
    tab.page.get_by_label("Search").fill(f"Copy {FIRST + 1}")
    tab.see("Nothing found among 2,000 meetings. “Older” looks further back.")
    tab.page.get_by_label("Search").fill(f"Copy {FIRST + MEETINGS - 700}")
    expect(rows).to_have_count(1)
    tab.end()


def test_a_transcript_of_fifty_thousand_lines(console, servers):
    redis = servers.redis()
    node = servers.node(redis, REQUEST_TIMEOUT_MS=60_000, REDIS_TIMEOUT_MS=60_000)
    owner = BotsUser(Admin(node))
    meeting, bot = write_lines(redis.client, node, owner)
    tab = console.browser.open(node.port).sign_in(owner.token)
    tab.page.evaluate(WATCH_JUMPS)
    tab.go(f"/meetings/{meeting['id']}")
    tab.see("49,999 lines")
    assert tab.page.evaluate("window.jumped") < 0.1
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
