"""How often the console asks, and for how long it waits: bursts of events, silence, refusals, what is asked again."""

import pytest
from playwright.sync_api import expect

from harness.console import link
from harness.waiting import wait_for
from harness.workspace import random_meet_code

LIST = "**/meetings?*"
# Every pause that the page asks for is noted; those that are to be hastened are over at once.
NOTES = """
window.waits = [];
window.hastened ??= [];
const later = window.setTimeout;
window.setTimeout = (work, milliseconds) => {
  window.waits.push(milliseconds);
  return later(work, window.hastened.includes(milliseconds) ? 1 : milliseconds);
};
"""
# What comes of the list the test lets come, piece by piece, once it says so.
PIECES = """
const real = window.fetch;
window.fetch = (path, how) => {
  if (!window.isHeld || !path.startsWith('/meetings?')) return real(path, how);
  window.isHeld = false;
  return Promise.resolve(new Response(new ReadableStream({ start(controller) { window.answer = controller; } })));
};
"""
SILENCE = 20_000


def seen(tab, list):
    """What the browser has told by now."""
    tab.page.evaluate("0")
    return list


def asked(tab):
    """How often the page has asked for its list by now."""
    return len([path for path in seen(tab, tab.paths) if path.startswith("/meetings?")])


def waits(tab, *among):
    """The pauses that the page has asked for, of these lengths."""
    return [wait for wait in tab.page.evaluate("window.waits") if wait in among]


def wait_for_stream(tab):
    """Until what comes is told, and not asked for."""
    wait_for(lambda: [path for path in seen(tab, tab.paths) if "only=statuses" in path], "a stream of events", interval_s=0.02)


@pytest.fixture
def untold(tab, owner):
    """A tab at the list of meetings, which is told nothing: it asks. Its pauses are noted."""
    tab.page.add_init_script(NOTES)
    tab.page.route("**/events*", lambda route: None)
    tab.sign_in(owner.token)
    tab.see("No meetings yet")
    return tab


def test_a_burst_of_events_is_asked_about_seldom_and_its_end_is_seen(tab, owner):
    tab.sign_in(owner.token)
    tab.see("No meetings yet")
    wait_for_stream(tab)
    before = asked(tab)
    limit = owner.admin.request("PATCH", f"/admin/workspaces/{owner.workspace_id}", {"max_concurrent_bots": 100})
    assert limit.status == 200, limit
    last = None
    for _ in range(25):
        last = owner.send_bot(bot_name="SIMULATE=never-admitted")
        owner.request("DELETE", owner.bot_path(last))
    expect(tab.row(last["native_meeting_id"])).to_contain_text("Over")
    told = tab.page.evaluate(
        "performance.getEntriesByType('resource').filter((one) => one.name.includes('/meetings?')).map((one) => one.startTime)")
    assert len(told) > before, "nothing was asked because of what was told"
    # 1.5 s from one question to the next, which each may leave the browser a moment later.
    pauses = [after - earlier for earlier, after in zip(told[before:], told[before + 1:])]
    assert all(pause > 1_200 for pause in pauses), pauses


def test_what_is_told_while_the_page_asks_is_asked_about_after_it(tab, owner):
    meeting = owner.request("POST", "/meetings", {"meeting_url": link(random_meet_code()), "title": "Board"}).json
    held = []

    def hold(route):
        # Of what it asks for when it is told: the answer of before, later.
        if held:
            return route.continue_()
        held.append(route.fetch())
        owner.request("DELETE", owner.bot_path(meeting))
        owner.wait_for_status(meeting, "completed")
        return route.fulfill(response=held[0])
    tab.sign_in(owner.token)
    expect(tab.row("Board")).to_contain_text("No bot yet")
    wait_for_stream(tab)
    count = asked(tab)
    tab.page.route(LIST, hold)
    owner.send_bot(meeting["native_meeting_id"])
    expect(tab.row("Board")).to_contain_text("Over")
    # At once, and not when it would have asked anyway: after ten seconds.
    ends = tab.page.evaluate(
        "performance.getEntriesByType('resource').filter((one) => one.name.includes('/meetings?')).map((one) => [one.startTime, one.responseEnd])")
    pauses = [start - end for (_, end), (start, _) in zip(ends[count:], ends[count + 1:])]
    assert pauses and pauses[0] < 9_000, pauses


def test_after_refusals_it_asks_more_and_more_seldom(untold):
    pauses = (2_500, 1_000, 2_000, 4_000, 8_000, 15_000)
    refuse = lambda route: route.fulfill(status=503, body="")
    untold.page.route(LIST, refuse)
    untold.page.evaluate("waits => { window.hastened = waits; }", pauses)
    untold.page.evaluate("window.waits.length = 0")
    wait_for(lambda: waits(untold, *pauses).count(15_000) >= 3, "many refusals", interval_s=0.02)
    told = waits(untold, *pauses)
    begin = told.index(1_000)
    assert set(told[:begin]) <= {2_500}
    assert told[begin:begin + 7] == [1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]
    expect(untold.page.locator(".banner")).to_contain_text("No answer from the service since")
    untold.page.unroute(LIST)
    expect(untold.page.locator(".banner")).to_be_hidden()
    # Then it is as it was, also with what is refused next.
    wait_for(lambda: waits(untold, *pauses)[-1] == 2_500, "the usual pause", interval_s=0.02)
    untold.page.evaluate("window.waits.length = 0")
    untold.page.route(LIST, refuse)
    wait_for(lambda: waits(untold, *pauses[1:]), "another refusal", interval_s=0.02)
    assert waits(untold, *pauses[1:])[0] == 1_000


def test_a_refusal_that_says_how_long_is_believed(untold):
    untold.page.evaluate("window.hastened = [2500]")
    untold.page.route(LIST, lambda route: route.fulfill(status=429, headers={"Retry-After": "40"}, json={"detail": "Slower."}))
    wait_for(lambda: waits(untold, 40_000), "the pause that was asked for", interval_s=0.02)
    assert waits(untold, 1_000, 2_000) == []


def test_a_stream_of_events_is_opened_anew_more_and_more_seldom(tab, owner):
    pauses = (500, 1_000, 2_000, 4_000, 8_000, 15_000)
    tab.page.add_init_script(f"window.hastened = {list(pauses)};")
    tab.page.add_init_script(NOTES)
    tab.page.route("**/events*", lambda route: route.fulfill(status=503, body=""))
    tab.sign_in(owner.token)
    wait_for(lambda: waits(tab, *pauses).count(15_000) >= 2, "many tries", interval_s=0.02)
    assert waits(tab, *pauses)[:7] == [*pauses, 15_000]
    tab.page.unroute("**/events*")
    # One that tells something ends that.
    code = random_meet_code()
    meeting = owner.send_bot(code)
    expect(tab.row(code)).to_contain_text("In the room")
    owner.request("DELETE", owner.bot_path(meeting))
    expect(tab.row(code)).to_contain_text("Over")


def test_a_stream_that_falls_silent_is_given_up(tab, owner):
    """As one of a machine that was cut off is: nothing of it ends by itself. A node says a word every three seconds."""
    tab.page.clock.install()
    tab.sign_in(owner.token)
    tab.see("No meetings yet")
    wait_for_stream(tab)
    ended = []
    tab.page.on("requestfailed", lambda request: ended.append(request.url) if "/events?" in request.url else None)

    def is_given_up():
        tab.page.clock.run_for(10_000)
        return seen(tab, ended)
    wait_for(is_given_up, "the end of the stream", interval_s=0.02)
    streams = len([path for path in tab.paths if "only=statuses" in path])

    def is_opened_anew():
        tab.page.clock.run_for(500)
        return len([path for path in seen(tab, tab.paths) if "only=statuses" in path]) > streams
    wait_for(is_opened_anew, "another stream", interval_s=0.02)


def test_no_answer_for_twenty_seconds_is_none(untold):
    held = []
    untold.page.evaluate("window.hastened = [2500]")
    untold.page.evaluate("window.waits.length = 0")
    untold.page.route(LIST, lambda route: held.append(route))
    wait_for(lambda: seen(untold, held), "the request", interval_s=0.02)
    expect(untold.page.locator(".banner")).to_be_hidden()
    assert waits(untold, SILENCE)
    # The next one's silence is over at once.
    untold.page.evaluate(f"window.hastened = [2500, {SILENCE}]")
    untold.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(untold.page.locator(".banner")).to_contain_text("No answer from the service since")


def test_an_answer_of_which_something_comes_may_take_its_time(tab, owner):
    tab.page.clock.install()
    tab.page.add_init_script(NOTES)
    tab.page.add_init_script(PIECES)
    tab.page.route("**/events*", lambda route: None)
    tab.sign_in(owner.token)
    tab.see("No meetings yet")
    owner.request("POST", "/meetings", {"meeting_url": link(random_meet_code()), "title": "Board"})
    body = owner.request("GET", "/meetings?limit=50").body.decode()
    tab.page.clock.pause_at(tab.page.evaluate("Date.now() + 1000"))
    tab.page.evaluate("window.isHeld = true; window.waits.length = 0;")

    def is_held():
        tab.page.clock.run_for(100)
        return tab.page.evaluate("window.answer !== undefined")
    wait_for(is_held, "the request", interval_s=0.02)
    heard = len(waits(tab, SILENCE))
    for start in range(0, len(body), 200):
        tab.page.evaluate("text => answer.enqueue(new TextEncoder().encode(text))", body[start:start + 200])
        heard += 1
        wait_for(lambda: len(waits(tab, SILENCE)) == heard, "the piece's being heard", interval_s=0.01)
        tab.page.clock.run_for(SILENCE - 1_000)
    expect(tab.page.locator(".banner")).to_be_hidden()
    tab.page.evaluate("answer.close()")
    expect(tab.row("Board")).to_be_visible()


def test_a_long_search_is_not_repeated_by_itself(untold):
    """One that takes several requests."""
    # That of a search that took one, and that of no search.
    pauses = (10_000, 2_500)
    untold.page.evaluate("window.waits.length = 0")
    untold.page.get_by_label("Search").fill("nobody")
    untold.see("Nothing found.")
    wait_for(lambda: 10_000 in waits(untold, *pauses), "the pause of a short search", interval_s=0.02)
    page = {"meetings": [], "offset": 0, "limit": 200, "has_more": True, "next_cursor": "1.1"}
    untold.page.route(LIST, lambda route: route.fulfill(json=page))
    count = asked(untold)
    untold.page.evaluate("window.waits.length = 0")
    untold.page.get_by_label("Search").fill("nobody at all")
    untold.see("Nothing found among 0 meetings. “Older” looks further back.")
    assert asked(untold) == count + 10
    assert waits(untold, *pauses) == []


def test_what_has_a_name_is_asked_again_by_it_and_nothing_else_is(tab, owner):
    tab.sign_in(owner.token)
    wishes, bodies = [], []

    def refuse(route):
        if route.request.method != "POST":
            return route.continue_()
        wishes.append(route.request.headers.get("idempotency-key"))
        bodies.append(route.request.post_data)
        if len(wishes) < 4:
            return route.fulfill(status=503, headers={"Retry-After": "1"}, json={"detail": "The node is about to stop."})
        return route.continue_()
    tab.page.route("**/bots", refuse)
    code = random_meet_code()
    tab.page.get_by_label("Link to the meeting").fill(link(code))
    tab.button("Send a bot").click()
    tab.see(f"A bot is on its way to {code}.")
    assert len(wishes) == 4 and len(set(wishes)) == 1 and wishes[0] and len(set(bodies)) == 1
    [meeting] = owner.request("GET", "/meetings").json["meetings"]
    owner.request("DELETE", owner.bot_path(meeting))

    tries = []

    def refuse_webhook(route):
        if route.request.method == "POST":
            tries.append(route)
            return route.fulfill(status=503, json={"detail": "The node is about to stop."})
        return route.continue_()
    tab.page.route("**/webhooks", refuse_webhook)
    tab.go("/webhooks")
    tab.page.get_by_label("Address").fill("http://127.0.0.1:9/hook")
    tab.button("Make the webhook").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("503")
    assert len(tries) == 1


def test_another_bot_to_a_meeting_whose_passcode_stood_beside_its_link(tab, owner):
    sent = owner.request("POST", "/bots", {"meeting_url": "https://teams.live.com/meet/9398850880426", "passcode": "s3cret"})
    assert sent.status == 201, sent
    owner.wait_for_status(sent.json, "active")
    owner.request("DELETE", owner.bot_path(sent.json))
    owner.wait_for_status(sent.json, "completed")
    tab.sign_in(owner.token)
    tab.go(f"/meetings/{sent.json['id']}")
    tab.button("Send another bot").click()
    tab.button("Send another bot", tab.dialog()).click()
    tab.see("A bot is on its way to")
    [running] = owner.running()
    assert running["native_meeting_id"] == "9398850880426"
    again = owner.request("GET", "/meetings").json["meetings"][0]
    assert again["id"] != sent.json["id"]
    owner.request("DELETE", owner.bot_path(again))
