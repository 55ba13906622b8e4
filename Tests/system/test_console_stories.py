"""The console, as people use it: in a real browser, on real nodes, with a runner of simulated bots."""

import base64
import json
import re
import struct

from playwright.sync_api import expect

from harness.balancer import Balancer
from harness.bots_user import BotsUser
from harness.console import LATER, in_utc, key_of, lines, link
from harness.receiver import Receiver
from harness.recordings import Scene
from harness.transcripts import post, read, segment
from harness.up import Up, run_curl
from harness.waiting import wait_for
from harness.workspace import Admin, random_meet_code


def test_a_link_becomes_a_transcript_that_ends_and_begins_again(tab, owner):
    code = random_meet_code()
    tab.sign_in(owner.token)
    tab.see("No meetings yet")
    tab.page.get_by_label("Link to the meeting").fill(f" <{link(code)}?authuser=0> ")
    tab.button("Send a bot").click()
    tab.see(f"A bot is on its way to {code}.")
    expect(tab.row(code)).to_contain_text("In the room")
    tab.row(code).get_by_role("link").click()
    expect(tab.heading(code)).to_be_visible()
    expect(lines(tab).nth(3)).to_be_visible()
    seen = lines(tab).count()
    wait_for(lambda: lines(tab).count() > seen, "more lines", interval_s=0.1)
    expect(tab.page.locator(".transcript li.draft").first).to_contain_text("draft")

    tab.page.get_by_label("Find in it").fill("GOOD morning")
    expect(tab.page.locator("mark").first).to_have_text("Good morning")
    tab.page.get_by_label("Find in it").fill("")
    tab.page.get_by_label("Language to listen for").fill("es")
    tab.button("Change").click()
    tab.see("The bot was told to listen for es.")
    tab.see("Buenos días")
    kept = {}
    for kind in ("txt", "md", "srt", "vtt", "json"):
        tab.page.get_by_label("Download as").select_option(kind)
        with tab.page.expect_download() as download:
            tab.button("Download").click()
        assert download.value.suggested_filename == f"meeting-1.{kind}"
        with open(download.value.path()) as file:
            kept[kind] = file.read()
    assert "Ana: Good morning, everybody. Shall we begin?" in kept["txt"] and kept["vtt"].startswith("WEBVTT")
    assert kept["md"].startswith("# ") and kept["srt"].startswith("1\n00:00:")
    saved = json.loads(kept["json"])
    assert saved["id"] == 1 and saved["segments"][0]["speaker"] == "Ana"

    tab.button("Stop").click()
    tab.button("Stop", tab.dialog()).click()
    tab.see("was told to leave")
    expect(tab.page.locator(".state")).to_contain_text("Over")
    expect(tab.page.locator(".state")).to_contain_text("it was stopped")
    expect(tab.page.locator(".transcript li.draft")).to_have_count(0)
    [meeting] = owner.request("GET", "/meetings").json["meetings"]
    wait_for(lambda: owner.record(meeting)["status"] == "OFFLINE", "the end of the meeting", interval_s=0.1)
    tab.button("Restart").click()
    expect(tab.dialog()).to_contain_text("force_restart")
    tab.button("Restart", tab.dialog()).click()
    expect(tab.page.locator(".state")).to_contain_text("In the room")
    tab.see("Another bot from here on")
    history = tab.page.locator(".timeline li")
    expect(history.filter(has_text="Restarted: a bot was sent by you")).to_have_count(1)
    expect(tab.page.locator(".timeline li.bot")).to_contain_text(["Bot 1", "Bot 2"])
    for words in ("A bot was sent by you", "On its way as the bot said", "Came into the room", "Was told to leave by you",
                  "Over because it was stopped", "The record was finished"):
        expect(history.filter(has_text=words).first).to_be_visible()
    events = owner.request("GET", "/bots/id/1/timeline").json["events"]
    assert len({one["trace_id"] for one in events if one["bot_id"]}) == 2
    expect(history.filter(has_text=events[-1]["trace_id"]).first).to_be_visible()
    ids = [(one["session_uid"], one["segment_id"]) for one in
           owner.request("GET", f"/transcripts/google_meet/{code}").json["segments"]]
    assert len(ids) == len(set(ids)) and owner.meeting(meeting)["status"] == "active"
    owner.request("DELETE", owner.bot_path(meeting))


def test_what_a_role_may_not_is_not_offered(tab, owner):
    meeting = owner.send_bot()
    owner.wait_for_status(meeting, "active")
    tab.sign_in(key_of(owner, "viewer"))
    expect(tab.row(meeting["native_meeting_id"])).to_contain_text("In the room")
    tab.see("To send, stop or plan bots takes the role member")
    assert tab.page.get_by_label("Link to the meeting").count() == 0
    assert tab.page.get_by_role("button").all_inner_texts() == ["Log out"]
    assert tab.page.get_by_role("link", name="Webhooks").count() == 0
    tab.go(f"/meetings/{meeting['id']}")
    expect(lines(tab).first).to_be_visible()
    assert tab.button("Stop").count() == 0 and tab.button("Change").count() == 0
    tab.go("/webhooks")
    tab.see("This needs the role manager in the workspace, or a higher one. You are its viewer.")
    tab.go("/workspace/keys")
    tab.see("This needs the role owner in the workspace, or a higher one. You are its viewer.")
    assert tab.button("Add New Key").count() == 0 and tab.page.get_by_role("link", name="Workspace").count() == 0
    owner.request("DELETE", owner.bot_path(meeting))
    owner.wait_for_status(meeting, "completed")
    tab.button("Log out").click()

    tab.sign_in(key_of(owner, "member"))
    tab.go(f"/meetings/{meeting['id']}")
    tab.see("To restart this meeting takes the role manager, or owner.")
    expect(tab.button("Send another bot")).to_be_visible()
    tab.button("Log out").click()
    tab.sign_in(key_of(owner, "manager"))
    tab.go(f"/meetings/{meeting['id']}")
    tab.see("takes a key with the scope seameet")


def test_refusals_are_shown_in_the_apis_words_with_their_codes(tab, owner):
    over = owner.send_bot()
    owner.wait_for_status(over, "active")
    owner.request("DELETE", owner.bot_path(over))
    owner.wait_for_status(over, "completed")
    holder = owner.send_bot(over["native_meeting_id"])
    owner.wait_for_status(holder, "active")
    assert holder["id"] != over["id"]

    tab.sign_in(owner.token)
    tab.page.get_by_label("Link to the meeting").fill(link(over["native_meeting_id"]))
    tab.button("Send a bot").click()
    notice = tab.page.get_by_role("alert")
    expect(notice).to_contain_text("409 · Bot already in meeting")
    expect(notice).to_contain_text("Stop it first if you want a new one.")
    notice.get_by_role("link", name=f"See meeting {holder['id']}").click()
    expect(tab.heading(over["native_meeting_id"])).to_be_visible()

    tab.go(f"/meetings/{over['id']}")
    tab.button("Restart").click()
    tab.button("Restart", tab.dialog()).click()
    expect(tab.dialog().get_by_role("alert")).to_contain_text("409 · 12103")
    tab.page.keyboard.press("Escape")
    expect(tab.dialog()).to_have_count(0)

    tab.go("/meetings")
    tab.page.get_by_label("Link to the meeting").fill("nothing of a link")
    tab.button("Send a bot").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("4")
    assert len(owner.running()) == 1
    tab.go("/meetings/999")
    expect(tab.page.get_by_role("alert")).to_contain_text("404 · Meeting not found")
    owner.request("DELETE", owner.bot_path(holder))


def test_a_webhook_that_fails_is_mended_and_sent_again(tab, owner):
    with Receiver(lambda delivery: (400, {}, b"<b>not today</b>")) as receiver:
        tab.sign_in(owner.token)
        tab.page.get_by_role("link", name="Webhooks").click()
        tab.see("No webhooks yet")
        tab.page.get_by_label("Address").fill(receiver.url())
        tab.page.get_by_label("Description").fill("Our archive")
        tab.page.get_by_label("meeting.completed").check()
        tab.button("Make the webhook").click()
        tab.see("It is shown this once")
        expect(tab.page.locator(".notice code")).to_contain_text("whsec_")
        tab.row(receiver.url()).get_by_role("link").click()
        tab.see("Nothing was sent yet")
        tab.button("Send a test").click()
        expect(tab.row("webhook.test")).to_contain_text("Failed")
        tab.page.get_by_text("1 attempt", exact=True).click()
        expect(tab.row("webhook.test")).to_contain_text("400")
        tab.see("<b>not today</b>")
        receiver.answer = lambda delivery: (200, {}, b"thanks")
        tab.page.get_by_role("button", name="Send again: webhook.test").click()
        expect(tab.row("webhook.test")).to_contain_text("Delivered")
        # What was open stays open, though the row is another one now.
        tab.see("thanks")
        [first, again] = receiver.wait_for("webhook.test", 2)
        assert first.event_id == again.event_id

        tab.button("Disable").click()
        expect(tab.page.locator(".state").first).to_contain_text("Disabled")
        assert tab.button("Send a test").count() == 0
        tab.button("Enable").click()
        expect(tab.page.locator(".state").first).to_contain_text("Enabled")
        tab.button("Remove").click()
        tab.button("Remove", tab.dialog()).click()
        tab.see("No webhooks yet")
        assert owner.request("GET", "/webhooks").json["webhooks"] == []


def test_a_key_is_made_used_by_a_program_replaced_and_revoked(tab, console, owner):
    meeting = owner.request("POST", "/meetings", {"meeting_url": link(random_meet_code())}).json
    path = f"/api/v1/public/meeting/{owner.workspace_id}/meetings/{meeting['data']['meeting_id']}"
    ask = lambda key: console.node.request("GET", path, headers={"Authorization": f"Bearer {key}"}).status
    tab.sign_in(owner.token)
    tab.page.get_by_role("link", name="Workspace").click()
    expect(tab.page.get_by_role("link", name="API Key")).to_have_attribute("aria-current", "page")
    expect(tab.row("token")).to_contain_text("the key you use")
    tab.button("Add New Key").click()
    tab.page.get_by_label("Name", exact=True).fill("Calendar <b>")
    tab.page.get_by_label("Expires").fill(f"{LATER}T09:30")
    tab.button("Make the key").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("scopes must be a list of one or more of seameet, bots")
    tab.page.get_by_role("checkbox", name="seameet for").check()
    tab.button("Make the key").click()
    tab.see("It is shown this once")
    key = tab.page.locator(".notice code").text_content()
    expect(tab.row("Calendar <b>")).to_contain_text("not used yet")
    # As the document has it.
    assert run_curl(
        f"curl -X 'POST' '{tab.origin}{path}/reinvite_bot' -H 'accept: application/json' "
        f"-H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' -d '{{}}'")[0] == 202
    expect(tab.row("Calendar <b>")).to_contain_text("last used")
    [record] = [one for one in owner.request("GET", "/workspace/keys").json["keys"] if one["label"] == "Calendar <b>"]
    assert record["expires_at"] == in_utc(f"{LATER}T09:30") and record["scopes"] == ["seameet"]

    tab.page.get_by_role("button", name="Rotate: Calendar <b>").click()
    tab.dialog().get_by_label("The old one stays valid for").select_option("no longer")
    tab.button("Rotate", tab.dialog()).click()
    tab.see("The key was replaced.")
    new = tab.page.locator(".notice code").text_content()
    assert new != key and (ask(key), ask(new)) == (401, 200)
    owner.request("DELETE", owner.bot_path(meeting))
    expect(tab.row(record["id"])).to_have_count(0)
    expect(tab.row("Calendar <b>")).to_have_count(1)
    tab.page.get_by_role("button", name="Revoke: Calendar <b>").click()
    # What cannot be taken back is not what Enter does by chance.
    expect(tab.button("Leave it", tab.dialog())).to_be_focused()
    tab.button("Revoke", tab.dialog()).click()
    tab.see("The key Calendar <b> was revoked.")
    expect(tab.row("Calendar <b>")).to_have_count(0)
    assert ask(new) == 401

    used = owner.request("GET", "/user").json["key_id"]
    # The key in use: the tab goes on with the one that replaces it, and is logged out without one.
    tab.page.get_by_role("button", name="Rotate: token").click()
    graces = tab.dialog().get_by_label("The old one stays valid for")
    expect(graces.locator("option")).to_have_text(["an hour", "a day", "a week"])
    graces.select_option("an hour")
    tab.button("Rotate", tab.dialog()).click()
    tab.see("This tab uses the new one from now on.")
    expect(tab.row("the key you use")).to_have_count(1)
    expect(tab.row("the key you use")).not_to_contain_text(used)
    tab.row("the key you use").get_by_role("button", name="Revoke").click()
    expect(tab.dialog()).to_contain_text("you are logged out")
    tab.button("Revoke", tab.dialog()).click()
    expect(tab.page.get_by_label("API key")).to_be_visible()
    tab.see("401")


def test_a_key_makes_none_that_can_do_more(tab, owner):
    tab.sign_in(key_of(owner, "owner"))
    tab.go("/workspace/keys")
    tab.button("Add New Key").click()
    tab.see("Your own key lacks seameet, so it can make none with that.")
    expect(tab.page.get_by_role("checkbox", name="seameet for")).to_be_disabled()
    tab.page.get_by_label("Name", exact=True).fill("Narrow")
    tab.page.get_by_role("checkbox", name="bots for").check()
    tab.button("Make the key").click()
    expect(tab.row("Narrow")).to_contain_text("bots")
    # What the page could not know is refused in the API's words.
    tab.page.get_by_role("button", name="Rotate: token").click()
    tab.button("Rotate", tab.dialog()).click()
    expect(tab.dialog().get_by_role("alert")).to_contain_text("403")
    expect(tab.dialog().get_by_role("alert")).to_contain_text("lacks the scope seameet")


def seen(tab, list):
    """What the browser has told by now."""
    tab.page.evaluate("0")
    return list


def test_a_secret_is_shown_wherever_the_reader_has_gone(tab, owner):
    tab.sign_in(owner.token)
    tab.go("/webhooks")
    held = []
    tab.page.route("**/webhooks", lambda route: held.append(route) if route.request.method == "POST" else route.continue_())
    tab.page.get_by_label("Address").fill("http://127.0.0.1:9/hook")
    tab.button("Make the webhook").click()
    wait_for(lambda: seen(tab, held), "the request", interval_s=0.05)
    tab.go("/meetings")
    expect(tab.heading("Meetings")).to_be_visible()
    held[0].continue_()
    expect(tab.dialog()).to_contain_text("whsec_")
    tab.go("/workspace/keys")
    expect(tab.heading("Workspace")).to_be_visible()
    expect(tab.dialog()).to_contain_text("whsec_")
    tab.button("I have it").click()
    expect(tab.dialog()).to_have_count(0)


def test_whoever_is_signed_out_while_the_own_key_is_replaced_goes_on_with_the_new_one(tab, owner):
    tab.sign_in(owner.token)
    tab.go("/workspace/keys")
    held = []
    tab.page.route("**/rotate", lambda route: held.append(route))
    tab.page.get_by_role("button", name="Rotate: token").click()
    tab.button("Rotate", tab.dialog()).click()
    wait_for(lambda: seen(tab, held), "the request", interval_s=0.05)
    tab.page.route("**/meetings?*", lambda route: route.fulfill(status=401, body="{}"))
    tab.go("/meetings")
    expect(tab.page.get_by_label("API key")).to_be_visible()
    tab.page.unroute("**/meetings?*")
    held[0].continue_()
    expect(tab.dialog()).to_contain_text("usher_")
    tab.button("I have it").click()
    expect(tab.page.get_by_role("button", name="Log out")).to_be_visible()
    expect(tab.heading("Meetings")).to_be_visible()


def test_an_address_waits_for_whoever_signs_in(tab, owner):
    meeting = owner.request("POST", "/meetings", {"meeting_url": link(random_meet_code()), "title": "Board"}).json
    tab.page.goto(f"{tab.origin}/console#/meetings/{meeting['id']}")
    tab.page.get_by_label("API key").fill(owner.token)
    tab.button("Sign in").click()
    expect(tab.heading("Board")).to_be_visible()
    tab.button("Log out").click()
    assert "#" not in tab.page.url


def test_a_page_of_which_not_all_came_says_so(tab, console):
    tab.page.route("**/segments.js", lambda route: route.abort())
    tab.page.goto(f"{tab.origin}/console")
    tab.see("not all of it came")
    tab.page.unroute("**/segments.js")
    tab.page.reload()
    expect(tab.page.get_by_label("API key")).to_be_visible()
    expect(tab.page.get_by_text("not all of it came")).to_have_count(0)


def test_a_proxys_refusal_for_a_moment_ends_no_page(tab, owner):
    meeting = owner.request("POST", "/meetings", {"meeting_url": link(random_meet_code()), "title": "Board"}).json
    tab.sign_in(owner.token)
    tab.page.route(f"**/meetings/{meeting['id']}", lambda route: route.fulfill(status=404, body="<h1>no</h1>"))
    tab.go(f"/meetings/{meeting['id']}")
    expect(tab.page.locator(".banner")).to_be_visible()
    tab.page.unroute(f"**/meetings/{meeting['id']}")
    expect(tab.heading("Board")).to_be_visible()
    expect(tab.page.locator(".banner")).to_be_hidden()


def test_a_tab_out_of_sight_asks_nothing(tab, owner):
    tab.page.add_init_script("Object.defineProperty(document, 'hidden', { get: () => window.isAway !== false });")
    tab.page.goto(f"{tab.origin}/console")
    tab.page.get_by_label("API key").fill(owner.token)
    tab.button("Sign in").click()
    expect(tab.heading("Meetings")).to_be_visible()
    assert not [path for path in tab.paths if path.startswith(("/meetings", "/events"))]
    tab.page.evaluate("window.isAway = false; document.dispatchEvent(new Event('visibilitychange'))")
    tab.see("No meetings yet")
    assert any("only=statuses" in path for path in tab.paths)


def test_members_are_added_given_roles_and_removed(tab, owner):
    ben = owner.admin.create_user(name="Ben <i>")
    tab.sign_in(owner.token)
    tab.go("/workspace/members")
    expect(tab.row("Anna")).to_contain_text("you")
    tab.page.get_by_label("Email").fill("nobody@example.com")
    tab.button("Add a member").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("404")
    tab.page.get_by_label("Email").fill(ben["email"])
    tab.page.get_by_label("Role", exact=True).select_option("manager")
    tab.button("Add a member").click()
    tab.see("Ben <i> is a member now, with the role manager.")
    expect(tab.page.get_by_label("Role of Ben <i>")).to_have_value("manager")
    tab.page.get_by_label("Role of Ben <i>").select_option("owner")
    tab.page.get_by_role("button", name="Change the role: Ben <i>").click()
    tab.see("Ben <i> is now: owner.")
    members = lambda: {one["user_id"]: one["role"] for one in owner.request("GET", "/workspace/members").json["members"]}
    assert members() == {owner.user["id"]: "owner", ben["id"]: "owner"}
    tab.page.get_by_role("button", name="Remove: Ben <i>").click()
    tab.button("Remove", tab.dialog()).click()
    tab.see("Ben <i> is no member any more.")
    expect(tab.row("Ben")).to_have_count(0)
    tab.page.get_by_label("Role of Anna").select_option("viewer")
    tab.page.get_by_role("button", name="Change the role: Anna").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("would have no owner left")
    expect(tab.page.get_by_label("Role of Anna")).to_have_value("owner")
    tab.page.get_by_label("Role of Anna").select_option("viewer")
    assert members() == {owner.user["id"]: "owner"}
    # With another owner there one may go; what there was to see is not there any more.
    owner.admin.set_role(owner.workspace_id, ben["id"], "owner")
    tab.page.get_by_role("button", name="Change the role: Anna").click()
    tab.see("This needs the role owner in the workspace, or a higher one. You are its viewer.")
    expect(tab.page.get_by_role("link", name="Workspace")).to_have_count(0)


def test_stop_means_the_meetings_own_bot(tab, owner):
    """Nothing else that is in the room by the time that the question is answered."""
    meeting = owner.send_bot()
    owner.wait_for_status(meeting, "active")
    tab.sign_in(owner.token)
    tab.row(meeting["native_meeting_id"]).get_by_role("button", name="Stop").click()
    assert owner.request("DELETE", owner.bot_path(meeting)).status == 202
    owner.wait_for_status(meeting, "completed")
    plan = owner.request("POST", "/meetings", {
        "meeting_url": meeting["constructed_meeting_url"], "scheduled_at": in_utc(f"{LATER}T09:30")}).json
    tab.button("Stop", tab.dialog()).click()
    expect(tab.dialog().get_by_role("alert")).to_contain_text("404 · Bot not found")
    assert owner.meeting(plan)["status"] == "scheduled"


def test_another_bot_gets_the_whole_link(tab, owner):
    url = "https://corp.zoom.us/w/91234567890?tk=ticket&pwd=secret"
    plan = owner.request("POST", "/meetings", {"meeting_url": url, "title": "Board"}).json
    tab.sign_in(owner.token)
    tab.page.get_by_role("button", name="Send a bot: Board").click()
    tab.see("A bot is on its way to Board.")
    assert owner.meeting(plan)["constructed_meeting_url"] == url
    owner.wait_for_status(plan, "active")
    owner.request("DELETE", owner.bot_path(plan))
    owner.wait_for_status(plan, "completed")
    tab.go(f"/meetings/{plan['id']}")
    tab.button("Send another bot").click()
    tab.button("Send another bot", tab.dialog()).click()
    tab.see("A bot is on its way to")
    [running] = owner.running()
    [made] = [one for one in owner.request("GET", "/meetings").json["meetings"] if one["id"] != plan["id"]]
    assert made["constructed_meeting_url"] == url and running["native_meeting_id"] == "91234567890"
    owner.request("DELETE", owner.bot_path(made))


def test_meetings_are_sought_by_room_name_and_state(tab, owner):
    for number in range(60):
        answer = owner.request("POST", "/meetings", {"meeting_url": link(random_meet_code()), "title": f"Talk {number:02}"})
        assert answer.status == 201, answer
    sent = owner.send_bot(bot_name="SIMULATE=never-admitted")
    owner.wait_for_status(sent, "awaiting_admission")
    tab.sign_in(owner.token)
    rows = tab.page.locator("li.row")
    expect(rows).to_have_count(50)
    tab.button("Older").click()
    expect(rows).to_have_count(11)
    tab.button("Newer").click()
    expect(rows).to_have_count(50)
    tab.page.get_by_label("Search").fill("talk 07")
    expect(rows).to_have_count(1)
    expect(tab.page.locator("p.faint", has_text="1 meeting shown")).to_be_visible()
    tab.page.get_by_label("Search").fill(sent["native_meeting_id"])
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("In the lobby")
    tab.page.get_by_label("Search").fill("nobody")
    tab.see("Nothing found.")
    tab.page.get_by_label("Search").fill("")
    tab.page.get_by_label("State").select_option("In the lobby")
    expect(rows).to_have_count(1)
    tab.page.get_by_label("State").select_option("Planned")
    expect(rows).to_have_count(60)
    assert "talk" not in tab.page.url.lower()


def test_the_page_goes_on_when_a_node_is_killed(console, servers):
    redis = servers.redis()
    nodes = [servers.node(redis), servers.node(redis)]
    balancer = servers.add(Balancer(servers.folder, [node.port for node in nodes])).start(ready=2)
    servers.runner(redis, balancer)
    owner = BotsUser(Admin(nodes[0]))
    tab = console.browser.open(balancer.port)
    code = random_meet_code()
    tab.sign_in(owner.token)
    tab.page.get_by_label("Link to the meeting").fill(link(code))
    tab.button("Send a bot").click()
    expect(tab.row(code)).to_contain_text("In the room")
    tab.row(code).get_by_role("link").click()
    expect(lines(tab).nth(1)).to_be_visible()
    # A node tells, and after it the other one, from where the first one was.
    streams = lambda: [path for path in tab.paths if "/events?" in path and "after=" in path]
    wait_for(lambda: streams(), "a stream of events", interval_s=0.1)
    nodes[0].kill()
    seen = lines(tab).count()
    wait_for(lambda: lines(tab).count() > seen + 3, "more lines from the other node", interval_s=0.1)
    nodes[1].kill()
    expect(tab.page.locator(".banner")).to_contain_text("No answer from the service since")
    nodes[0].start()
    expect(tab.page.locator(".banner")).to_be_hidden()
    seen = lines(tab).count()
    wait_for(lambda: lines(tab).count() > seen + 3, "more lines from the first node again", interval_s=0.1)
    tab.button("Stop").click()
    tab.button("Stop", tab.dialog()).click()
    expect(tab.page.locator(".state")).to_contain_text("Over")
    assert len(owner.request("GET", "/meetings", node=nodes[0]).json["meetings"]) == 1
    # Nothing is lost, and nothing is there twice.
    def agree():
        there = owner.request("GET", f"/transcripts/google_meet/{code}", node=nodes[0]).json["segments"]
        return [one["text"] for one in there] == tab.page.locator(".transcript li p").all_text_contents()
    wait_for(agree, "the same lines on the page and in the record", interval_s=0.2)
    tab.end()


def shown(tab):
    """What is said, as the page has it."""
    return tab.page.locator(".transcript li p:not(.session)").all_text_contents()


def test_what_bots_write_is_shown_as_the_record_has_it(console, servers):
    """Drafts, mended and retracted ones, out of order, of two bots that call their segments alike."""
    redis = servers.redis()
    node = servers.node(redis)
    owner = BotsUser(Admin(node))
    meeting = owner.send_bot()
    bot = owner.play(redis.client, meeting, "joining", "active")
    tab = console.browser.open(node.port).sign_in(owner.token)
    tab.go(f"/meetings/{meeting['id']}")
    expect(tab.page.locator(".state")).to_contain_text("In the room")

    def write(bot, *segments, retracted=()):
        bodies = [{"segments": list(segments)}]
        if retracted:
            bodies.append({"type": "transcript_retract", "segment_ids": list(retracted)})
        for body in bodies:
            answer = post(node, bot, body)
            assert answer.status in (200, 202, 204), answer
        there = [one["text"] for one in read(owner, meeting)["segments"]]
        wait_for(lambda: shown(tab) == there, f"{there} on the page", interval_s=0.05)
        return there

    assert write(bot, segment("2", "two", start=5.0, end=6.0)) == ["two"]
    # From here on a node tells, and the page does not ask.
    wait_for(lambda: any("/events?" in path for path in tab.paths), "a stream of events")
    write(bot, segment("1", "one", start=1.0, end=2.0), segment("3", "three", start=7.0, end=8.0, completed=False))
    expect(tab.page.locator(".transcript li.draft")).to_have_count(1)
    write(bot, segment("3", "three!", start=4.0, end=4.5, speaker="Ben"), segment("4", "four", start=9.0, end=9.5, completed=False))
    write(bot, segment("2", "two, mended", start=5.0, end=6.0))
    assert write(bot, segment("5", "five", start=9.0, end=9.5), retracted=["4"])[-1] == "five"
    expect(tab.page.locator(".transcript li.draft")).to_have_count(0)
    bot.tell(node, "completed")
    expect(tab.page.locator(".state")).to_contain_text("Over")
    wait_for(lambda: owner.record(meeting)["status"] == "OFFLINE", "the end of the meeting", interval_s=0.05)
    assert owner.reinvite(meeting, {"force_restart": True}).status == 202
    again = owner.play(redis.client, meeting, "joining", "active")
    assert write(again, segment("1", "one again", start=0.5, end=1.0))[-1] == "one again"
    tab.see("Another bot from here on")
    # Which of the two is meant nobody is told: all is read anew.
    assert "one" in write(again, segment("9", "nine", start=3.0, end=4.0), retracted=["1"])
    again.tell(node, "completed")
    wait_for(lambda: owner.record(meeting)["status"] == "OFFLINE", "the end of the meeting", interval_s=0.05)
    assert owner.request("DELETE", f"{owner.meeting_path(meeting)}?meeting_id={meeting['id']}").status == 200
    tab.see("Nothing has been said yet.")
    assert shown(tab) == []
    tab.end()


def test_what_was_taken_back_may_be_written_again(console, servers):
    """Of changes that come in two pages the second one is the later."""
    redis = servers.redis()
    node = servers.node(redis)
    owner = BotsUser(Admin(node))
    meeting = owner.send_bot()
    bot = owner.play(redis.client, meeting, "joining", "active")
    assert post(node, bot, {"segments": [segment("1", "one"), segment("2", "two", start=3.0, end=4.0)]}).status == 200
    tab = console.browser.open(node.port)
    # So that the page asks.
    tab.page.route("**/events*", lambda route: route.abort())
    tab.sign_in(owner.token)
    tab.go(f"/meetings/{meeting['id']}")
    wait_for(lambda: shown(tab) == ["one", "two"], "both lines", interval_s=0.05)
    asked = []

    def answer(route):
        asked.append(route.request.url)
        body = route.fetch().json()
        if len(asked) == 1:
            body.update(segments=[], retracted=["1"], has_more=True)
        elif len(asked) == 2:
            body.update(segments=[{**read(owner, meeting)["segments"][0], "text": "one, again"}], retracted=[])
        route.fulfill(json=body)
    tab.page.route(re.compile(r"/transcripts/google_meet/[a-z-]+\?.*after="), answer)
    wait_for(lambda: shown(tab) == ["one, again", "two"], "the line that was written again", interval_s=0.05)
    tab.end()


def test_sound_is_heard_in_step_with_the_text(console, servers):
    # Of 400 seconds, which come in two parts.
    samples = bytes(400 * 32_000)
    head = b"RIFF" + struct.pack("<I", len(samples) + 36) + b"WAVEfmt " + struct.pack(
        "<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16) + b"data" + struct.pack("<I", len(samples))
    scene = Scene(servers, head + samples)
    meeting = scene.record()
    tab = console.browser.open(scene.node.port).sign_in(scene.user.token)
    tab.go(f"/meetings/{meeting['id']}")
    expect(lines(tab).nth(4)).to_be_visible()
    assert tab.button("Listen").count() == 0
    scene.stop(meeting)
    scene.wait_for_recordings(meeting)
    expect(tab.page.locator(".state")).to_contain_text("Over")
    expect(tab.button("Listen")).to_be_visible()
    expect(tab.page.get_by_label("Sound").locator("option")).to_have_text(["00:00 – 05:00", "05:00 – 06:40"])
    audio = tab.page.locator("audio")
    # So slow that a line lasts for seconds.
    audio.evaluate("audio => { audio.defaultPlaybackRate = 0.0625; }")
    third = lines(tab).nth(2)
    # By a note of its own: even so the next line's turn may come before anybody looks.
    third.evaluate("""line => new MutationObserver(() => { line.wasSpoken ||= line.className === "spoken"; }).observe(
        line, { attributes: true, attributeFilter: ["class"] })""")
    third.get_by_role("button").click()
    wait_for(lambda: third.evaluate("line => line.wasSpoken"), "the line's being heard", interval_s=0.05)
    assert audio.evaluate("audio => audio.duration") == 300
    tab.page.get_by_label("Sound").first.select_option("05:00 – 06:40")
    tab.button("Listen").click()
    wait_for(lambda: audio.evaluate("audio => audio.duration") == 100, "the second part", interval_s=0.05)
    expect(lines(tab).last).to_have_class("spoken")
    assert tab.page.locator(".spoken").count() == 1
    # A click while a part is on its way counts; and none begins to be heard once its page was left.
    held, failed = [], []
    tab.page.on("requestfailed", lambda request: failed.append(request.url))
    tab.page.route("**/recordings/*", lambda route: held.append(route))
    third.get_by_role("button").click()
    wait_for(lambda: seen(tab, held), "a part on its way", interval_s=0.05)
    tab.button("Listen").click()
    wait_for(lambda: [url for url in seen(tab, failed) if "/recordings/" in url], "its end", interval_s=0.05)
    third.get_by_role("button").click()
    wait_for(lambda: len(seen(tab, held)) == 2, "a part on its way", interval_s=0.05)
    tab.go("/meetings")
    wait_for(lambda: len([url for url in seen(tab, failed) if "/recordings/" in url]) == 2, "its end", interval_s=0.05)
    tab.end()


def test_what_a_bot_saw_that_failed_is_shown_to_managers(console, servers):
    redis = servers.redis()
    node = servers.node(redis)
    owner = BotsUser(Admin(node))
    meeting = owner.send_bot()
    picture = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
    sent = {"image": base64.b64encode(picture).decode(), "outline": "Buttons: <b>Sign in</b>"}
    owner.play(redis.client, meeting, "joining").tell(node, "failed", screenshot=sent)
    tab = console.browser.open(node.port).sign_in(owner.token)
    tab.go(f"/meetings/{meeting['id']}")
    image = tab.page.locator("figure img")
    expect(image).to_be_visible()
    wait_for(lambda: image.evaluate("image => image.naturalWidth") == 1, "the picture")
    expect(tab.page.locator("figure pre")).to_have_text("Buttons: <b>Sign in</b>")
    tab.button("Log out").click()
    tab.sign_in(key_of(owner, "member"))
    tab.go(f"/meetings/{meeting['id']}")
    expect(tab.page.locator(".timeline li").filter(has_text="Failed")).to_be_visible()
    expect(tab.page.locator("figure pre")).to_be_hidden()
    expect(image).to_be_hidden()
    tab.end()


def test_a_proxy_that_keeps_events_back_costs_no_words(tab, owner):
    """As one that gathers an answer before it passes it on: of a stream nothing ever comes."""
    tab.page.route("**/events*", lambda route: None)
    meeting = owner.send_bot()
    owner.wait_for_status(meeting, "active")
    tab.sign_in(owner.token)
    expect(tab.row(meeting["native_meeting_id"])).to_contain_text("In the room")
    tab.go(f"/meetings/{meeting['id']}")
    expect(lines(tab).nth(1)).to_be_visible()
    seen = lines(tab).count()
    wait_for(lambda: lines(tab).count() > seen + 3, "more lines", interval_s=0.1)
    owner.request("DELETE", owner.bot_path(meeting))
    expect(tab.page.locator(".state")).to_contain_text("Over")
    expect(tab.page.locator(".banner")).to_be_hidden()


def test_the_first_visit_after_make_up_takes_three_clicks(console, servers):
    up = servers.add(Up(servers.folder)).start()
    [line] = [line for line in up.output.splitlines() if line.startswith("  console ")]
    assert f"http://127.0.0.1:{up.port}/console" in line
    key = up.reinvitations[0].partition("Bearer ")[2].partition("'")[0]
    tab = console.browser.open(up.port)
    tab.page.goto(line.split()[1].rstrip(","))
    tab.page.get_by_label("API key").fill(key)
    tab.button("Sign in").click()
    tab.page.get_by_role("button", name="Send a bot: Demo").click()
    expect(tab.row("Demo")).to_contain_text("In the room")
    tab.end()
