"""The console, as people use it: in a real browser, on real nodes, with a runner of simulated bots."""

import json

from playwright.sync_api import expect

from harness.balancer import Balancer
from harness.bots_user import BotsUser
from harness.console import LATER, in_utc, key_of, lines, link
from harness.receiver import Receiver
from harness.up import Up
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
    with tab.page.expect_download() as download:
        tab.button("Download as text").click()
    assert download.value.suggested_filename == "meeting-1.txt"
    with open(download.value.path()) as file:
        assert "Ana: Good morning, everybody. Shall we begin?" in file.read()
    with tab.page.expect_download() as download:
        tab.button("Download as JSON").click()
    with open(download.value.path()) as file:
        saved = json.load(file)
    assert saved["meeting"]["id"] == 1 and saved["segments"][0]["speaker"] == "Ana"

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


def test_a_plan_is_made_changed_and_cancelled(tab, owner):
    code = random_meet_code()
    tab.sign_in(owner.token)
    tab.page.get_by_label("When").select_option("At a time")
    tab.page.get_by_label("Link to the meeting").fill(link(code))
    tab.page.get_by_label("Time", exact=True).fill(f"{LATER}T09:30")
    tab.page.get_by_label("Title").fill("Weekly")
    tab.button("Plan it").click()
    tab.see("Weekly is planned.")
    expect(tab.row("Weekly")).to_contain_text("Planned")
    # The reader's zone is Madrid's.
    [meeting] = owner.request("GET", "/meetings").json["meetings"]
    assert meeting["data"]["scheduled_at"] == in_utc(f"{LATER}T09:30")
    tab.row("Weekly").get_by_role("link").click()
    expect(tab.page.get_by_label("Time", exact=True)).to_have_value(f"{LATER}T09:30")
    # What somebody else has changed since, and nobody touches here, stays.
    assert owner.request("PATCH", f"/meetings/{meeting['id']}", {"auto_join": False, "bot_name": "Nora"}).status == 200
    tab.page.get_by_label("Title").fill("Monthly")
    tab.page.get_by_label("Time", exact=True).fill(f"{LATER}T10:00")
    tab.button("Save the plan").click()
    expect(tab.heading("Monthly")).to_be_visible()
    data = owner.meeting(meeting)["data"]
    assert data["scheduled_at"] == in_utc(f"{LATER}T10:00")
    assert data["auto_join"] is False and data["bot_name"] == "Nora"
    assert owner.request("PATCH", f"/meetings/{meeting['id']}", {"auto_join": True}).status == 200
    tab.button("Cancel the plan").click()
    tab.button("Cancel the plan", tab.dialog()).click()
    tab.see("The plan was cancelled.")
    tab.see("No meetings yet")
    assert owner.request("GET", "/meetings").json["meetings"] == []


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
