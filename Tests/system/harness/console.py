"""The console in a real browser: Debian's Chromium, driven by playwright."""

import datetime
import os
import shutil
import urllib.parse
import zoneinfo

import axe_playwright_python
from playwright.sync_api import expect, sync_playwright

from harness.bots_user import BotsUser
from harness.waiting import DEADLINE_S
from harness.workspace import Admin

AXE = os.path.join(os.path.dirname(axe_playwright_python.__file__), "axe.min.js")
# Where to leave pictures of the pages, to be looked at; none are made without it.
PICTURES = os.environ.get("USHER_TEST_PICTURES")

# The day of what is planned, and the zone of the one who plans.
LATER = (datetime.date.today() + datetime.timedelta(days=100)).isoformat()
ZONE = "Europe/Madrid"

expect.set_options(timeout=DEADLINE_S * 1_000)


def link(code):
    return f"https://meet.google.com/{code}"


def in_utc(time):
    """What the APIs make of a time in the reader's zone."""
    local = datetime.datetime.fromisoformat(time).replace(tzinfo=zoneinfo.ZoneInfo(ZONE))
    return local.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def lines(tab):
    """Those of a transcript."""
    return tab.page.locator(".transcript li")


def key_of(user, role, scopes=("bots",)):
    """The key of somebody else with this role in the user's workspace."""
    other = user.admin.create_user()
    user.admin.set_role(user.workspace_id, other["id"], role)
    return user.admin.create_key(user.workspace_id, other["id"], scopes)["key"]


class Stage:
    """A node with a console, a runner of bots, and a browser, for the tests of a module."""

    def __init__(self, servers):
        self.redis = servers.redis()
        self.node = servers.node(self.redis, WEBHOOK_ALLOW="127.0.0.1")
        self.runner = servers.runner(self.redis, self.node)
        self.browser = Browser()

    def user(self):
        return BotsUser(Admin(self.node), name="Anna")

    def end(self):
        self.browser.end()


class Browser:
    """One Chromium."""

    def __init__(self):
        self._playwright = sync_playwright().start()
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        self._browser = self._playwright.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"), args=arguments)

    def open(self, port, width=1280, dark=False):
        context = self._browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", reduced_motion="reduce",
            accept_downloads=True, timezone_id=ZONE, locale="en-GB")
        context.set_default_timeout(DEADLINE_S * 1_000)
        return ConsoleTab(context, f"http://127.0.0.1:{port}", width)

    def trace(self, tab):
        """Notes what the threads of a tab's page do, until `traced`."""
        self._browser.start_tracing(page=tab.page, categories=["toplevel", "disabled-by-default-devtools.timeline"])

    def traced(self):
        """What was noted, as JSON."""
        return self._browser.stop_tracing()

    def end(self):
        self._browser.close()
        self._playwright.stop()


# A telephone's width, at which colours are those of the narrower one that tests have too: to look at them takes longer than
# all other rules together.
SAME_COLOURS_WIDTH = 390


class ConsoleTab:
    """A tab of its own, in which nothing may go wrong that the page does not tell of."""

    def __init__(self, context, origin, width):
        self._context = context
        self.origin, self._width = origin, width
        self.page = context.new_page()
        self.faults, self.elsewhere, self.paths, self.bytes = [], [], [], 0
        self.page.on("pageerror", lambda error: self.faults.append(f"{error}"))
        self.page.on("console", lambda message: self._hear(message))
        self.page.on("dialog", lambda dialog: self.faults.append(dialog.message))
        self.page.on("request", self._see)

    def _hear(self, message):
        # A refused request is reported there too, by the browser: it is the page's to tell, and no fault.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.faults.append(message.text)

    def _see(self, request):
        url = request.url
        self.paths.append(url.removeprefix(self.origin))
        if not url.startswith((self.origin + "/", f"blob:{self.origin}/")):
            self.elsewhere.append(url)

    def sign_in(self, key):
        self.page.goto(f"{self.origin}/console")
        self.page.get_by_label("API key").fill(key)
        self.button("Sign in").click()
        expect(self.page.get_by_role("button", name="Log out")).to_be_visible()
        return self

    def go(self, path):
        """Shows a page by its address."""
        self.page.evaluate("path => { location.hash = path; }", path)

    def button(self, name, within=None):
        return (within or self.page).get_by_role("button", name=name, exact=True)

    def heading(self, name):
        return self.page.get_by_role("heading", name=name, level=1)

    def row(self, text):
        """The row of a list in which this text is."""
        return self.page.locator("li.row", has_text=text)

    def see(self, text):
        expect(self.page.get_by_text(text).first).to_be_visible()

    def dialog(self):
        return self.page.get_by_role("dialog")

    @property
    def violations(self):
        """What axe finds: the rule and where."""
        with open(AXE) as file:
            self.page.evaluate(file.read())
        options = {"resultTypes": ["violations"]}
        if self._width == SAME_COLOURS_WIDTH:
            options["rules"] = {"color-contrast": {"enabled": False}}
        found = self.page.evaluate("options => axe.run(document, options)", options)
        return [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in found["violations"]]

    @property
    def overflow(self):
        """By how many pixels the page is wider than its window."""
        return self.page.evaluate("document.documentElement.scrollWidth - innerWidth")

    def picture(self, name):
        if PICTURES:
            os.makedirs(PICTURES, exist_ok=True)
            self.page.screenshot(path=os.path.join(PICTURES, f"{name}.png"), full_page=True)

    def end(self):
        """Closes it, and fails if anything went wrong in it."""
        url = urllib.parse.unquote(self.page.url)
        self._context.close()
        assert self.faults == [], self.faults
        assert self.elsewhere == [], self.elsewhere
        assert "usher_" not in url + "".join(self.paths), "a key in an address"
