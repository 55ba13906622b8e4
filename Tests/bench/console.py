"""What a reader waits for in the console: a cold start, a list of 10,000 meetings, and a transcript of 50,000 lines.

Run by `make console-bench`, with the release binary that it builds, in Debian's Chromium, which keeps nothing from before.
"""

import dataclasses
import json
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))

from playwright.sync_api import expect  # noqa: E402

from harness.bots_user import BotsUser  # noqa: E402
from harness.console import Browser, lines  # noqa: E402
from harness.console_size import FIRST, MEETINGS, WATCH_JUMPS, make_meetings, write_lines  # noqa: E402
from harness.node import Node  # noqa: E402
from harness.redis_server import RedisServer  # noqa: E402
from harness.waiting import wait_for  # noqa: E402
from harness.workspace import Admin  # noqa: E402

ROUNDS, PAGES = 3, 4
# How far a wheel turns at once, in pixels, and how often.
TURN, TURNS = 600, 12

# From the beginning of the navigation, in ms: when what was waited for was there.
WATCH = """
(function lookFor() {
  if (document.querySelector(WANTED)) window.readyAt = performance.now();
  else requestAnimationFrame(lookFor);
})();
"""


@dataclasses.dataclass
class Shown:
    """Of one navigation; times in ms."""
    first_ms: float
    ready_ms: float
    requests: int
    kilobytes: float
    jumped: float
    longest_task_ms: float = 0.0


def open_watched(browser, port, wanted):
    """A tab without anything in its cache, which notes when an element is there."""
    tab = browser.open(port)
    tab.page.add_init_script(f"const WANTED = {wanted!r};" + WATCH + WATCH_JUMPS)
    return tab


def look(tab):
    """What the browser has noted of the navigation."""
    wait_for(lambda: tab.page.evaluate("window.readyAt !== undefined"), "what is waited for", interval_s=0.02)
    first = wait_for(
        lambda: tab.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime"), "something seen")
    ready = tab.page.evaluate("window.readyAt")
    # What the page needs before it can be used; the stream of events has no end.
    loaded = tab.page.evaluate("""performance.getEntries()
        .filter((one) => one.transferSize !== undefined && one.startTime <= window.readyAt && !one.name.includes('/events'))
        .map((one) => one.transferSize)""")
    return Shown(first, ready, len(loaded), sum(loaded) / 1_000, tab.page.evaluate("window.jumped"))


class LongestTask:
    """Of what the page's main thread does in the block, the longest piece: its processor time in ms. A page is held for so
    long where nothing else wants the processor."""

    def __init__(self, browser, tab):
        self._browser, self._tab, self.milliseconds = browser, tab, 0.0

    def __enter__(self):
        self._browser.trace(self._tab)
        return self

    def __exit__(self, *_):
        events = json.loads(self._browser.traced())["traceEvents"]
        mains = {(event["pid"], event["tid"]) for event in events
                 if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"}
        self.milliseconds = max((event["tdur"] / 1_000 for event in events if event["name"].endswith("RunTask")
                                 and "tdur" in event and (event["pid"], event["tid"]) in mains), default=0.0)


def turn(tab, selector, by):
    """Turns the wheel over an element, frame by frame."""
    tab.page.locator(selector).first.hover(position={"x": 200, "y": 60})
    for _ in range(TURNS):
        tab.page.mouse.wheel(0, by)
        tab.page.evaluate("new Promise(requestAnimationFrame)")


def navigate(browser, tab, path):
    with LongestTask(browser, tab) as task:
        tab.page.goto(f"{tab.origin}/console{path}")
        shown = look(tab)
    shown.longest_task_ms = task.milliseconds
    return shown


def cold_start(browser, node):
    tab = open_watched(browser, node.port, "input:focus")
    shown = navigate(browser, tab, "")
    tab.end()
    return shown


def signed_in(browser, node, owner, path, wanted):
    """A page of somebody who has signed in: a tab, and what it noted of a navigation there."""
    tab = open_watched(browser, node.port, wanted)
    tab.page.add_init_script(f"sessionStorage.setItem('usher.key', {owner.token!r});")
    return tab, navigate(browser, tab, f"#{path}")


def many_meetings(browser, node, owner):
    tab, shown = signed_in(browser, node, owner, "/meetings", "li.row")
    rows = tab.page.locator("li.row")
    with LongestTask(browser, tab) as scrolling:
        for page in range(1, PAGES + 1):
            turn(tab, "main", TURN)
            tab.button("Older").click()
            expect(rows.first).to_contain_text(f"Copy {FIRST + MEETINGS - 1 - 50 * page}")
            turn(tab, "main", -TURN)
    tab.end()
    return shown, scrolling.milliseconds


def long_transcript(browser, node, owner, meeting):
    tab, shown = signed_in(browser, node, owner, f"/meetings/{meeting['id']}", ".transcript li")
    tab.see("49,999 lines")
    with LongestTask(browser, tab) as scrolling:
        for _ in range(PAGES):
            turn(tab, ".scroll", -TURN)
            top = lines(tab).first.text_content()
            tab.button("Show what was said earlier").click()
            wait_for(lambda: lines(tab).first.text_content() != top, "earlier lines", interval_s=0.02)
            turn(tab, ".scroll", TURN)
    with LongestTask(browser, tab) as finding:
        tab.page.get_by_label("Find in it").fill("line 7 of")
        expect(tab.page.locator(".transcript .at")).to_contain_text("Line 7 of many")
    tab.end()
    return shown, scrolling.milliseconds, finding.milliseconds


def median(values):
    return sorted(values)[len(values) // 2]


def row(name, shown, scrolling="", finding=""):
    columns = [median([getattr(one, field.name) for one in shown]) for field in dataclasses.fields(Shown)]
    first, ready, requests, kilobytes, jumped, _ = columns
    longest = max(one.longest_task_ms for one in shown)
    return [name, f"{first:.0f}", f"{ready:.0f}", f"{requests}", f"{kilobytes:.0f}", f"{jumped:.3f}", f"{longest:.0f}", scrolling, finding]


def table(rows):
    headings = ["page", "first content ms", "ready ms", "requests", "KB", "jumped", "longest task ms", "while scrolling", "while finding"]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [headings, ["---"] + ["---:"] * 8, *rows])


def main():
    with tempfile.TemporaryDirectory(prefix="usher-") as folder:
        servers = [RedisServer(folder)]
        try:
            redis = servers[0].start()
            node = Node(folder, redis.url, LOOPS=2)
            servers.append(node)
            node.start()
            owner, speakers = BotsUser(Admin(node)), BotsUser(Admin(node))
            make_meetings(redis.client, owner)
            meeting, _ = write_lines(redis.client, node, speakers)
            browser = Browser()
            servers.append(browser)
            cold = [cold_start(browser, node) for _ in range(ROUNDS)]
            listed, scrolled = zip(*[many_meetings(browser, node, owner) for _ in range(ROUNDS)])
            read, turned, found = zip(*[long_transcript(browser, node, speakers, meeting) for _ in range(ROUNDS)])
            print(table([
                row("sign in", cold), row(f"{MEETINGS:,} meetings", listed, f"{max(scrolled):.0f}"),
                row("a transcript of 49,999 lines", read, f"{max(turned):.0f}", f"{max(found):.0f}")]))
        finally:
            for server in reversed(servers):
                server.end()


if __name__ == "__main__":
    main()
