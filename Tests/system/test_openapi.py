"""The API's description: sound OpenAPI 3.1, readable as a page, and true of a live node."""

import base64
import hashlib
import json
import os
import subprocess
import sys
from html.parser import HTMLParser

import jsonschema_rs
from openapi_spec_validator import OpenAPIV31SpecValidator

from harness.bots_user import BotsUser
from harness.node import ADMIN_KEY, BINARY
from harness.played_bot import PlayedBot

DOCUMENT = json.loads(subprocess.run([BINARY, "openapi"], capture_output=True, check=True).stdout)

# --- The document ---------------------------------------------------------------------------------------------------


def test_the_document_is_openapi():
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_a_node_serves_what_the_command_prints(node):
    answer = node.request("GET", "/openapi.json")
    assert answer.status == 200 and answer.json == DOCUMENT


def test_every_example_is_what_its_schema_says():
    def check(content, where):
        schema = {**content["schema"], "components": DOCUMENT["components"]}
        validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        values = [content["example"]] if "example" in content else []
        values += [example["value"] for example in content.get("examples", {}).values()]
        assert values, f"no example of {where}"
        for value in values:
            assert not [error.message for error in validator.iter_errors(value)], where

    responses = dict(DOCUMENT["components"]["responses"])
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                check(content, f"the body of {operation['operationId']}")
            for status, response in operation["responses"].items():
                responses[f"{operation['operationId']} {status}"] = response
    for where, response in responses.items():
        if "application/json" in response.get("content", {}):
            check(response["content"]["application/json"], where)


# --- The page -------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    VOID = {"meta", "br", "link", "img", "input"}

    def __init__(self, text):
        super().__init__()
        self.anchors, self.links, self.tags, self.style, self._open = set(), set(), set(), "", []
        self.feed(text)
        self.close()
        assert not self._open, f"tags that are left open: {self._open}"

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for name, value in attributes:
            assert name in {"id", "href", "title", "class", "lang", "charset", "name", "content", "open", "tabindex"}, (tag, name)
            if name == "id":
                assert value not in self.anchors, f"two anchors {value}"
                self.anchors.add(value)
            elif name == "href":
                self.links.add(value)
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] == "style":
            self.style += data


def test_the_page_is_whole_and_asks_nothing_of_others(node):
    answer = node.request("GET", "/docs")
    assert answer.status == 200 and answer.header("Content-Type") == "text/html; charset=utf-8"
    page = Page(answer.body.decode())
    assert not page.tags & {"script", "link", "img", "iframe", "object", "form"}, page.tags
    assert {link for link in page.links if not link.startswith("#")} == {"/openapi.json", "/console"}
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.anchors
    ids = {operation["operationId"] for methods in DOCUMENT["paths"].values() for operation in methods.values()}
    assert ids | set(DOCUMENT["components"]["schemas"]) <= page.anchors
    assert "url(" not in page.style and "@import" not in page.style
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    policy = answer.header("Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ") and f"style-src 'sha256-{digest}'" in policy
    unchanged = node.request("GET", "/docs", headers={"If-None-Match": answer.header("ETag")})
    assert unchanged.status == 304 and unchanged.body == b""


# --- A live node ----------------------------------------------------------------------------------------------------

# The keys are real, and so are the ids without which nothing would come further than to a 403 or 404. Of what is asked
# only the seed decides. No check is left out but `positive_data_acceptance`: that a text is a link to a meeting, that a
# time is still to come or that one of several members is needed is more than a schema can say. What is too large may be
# refused as that.
CONFIGURATION = """
continue-on-failure = true
headers = {{ Authorization = "Bearer {token}", X-Admin-API-Key = "{admin_key}", X-Internal-Secret = "{secret}" }}

[generation]
deterministic = true
max-examples = 10
with-security-parameters = false

[phases.stateful]
enabled = false

[checks]
positive_data_acceptance.enabled = false
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 414, 415, 422, 428, 429, 431]

# They have no end: what they answer is looked at in test_live.py.
[[operations]]
include-name = ["GET /events", "GET /transcripts/{{platform}}/{{native_meeting_id}}/events"]
enabled = false

[parameters]
"path.workspace_id" = "{workspace}"
"path.bot_id" = "{bot}"
"path.user_id" = {user}
"path.platform" = "google_meet"
"""


def test_a_live_node_answers_as_it_is_described(module_servers, admin, node, redis):
    user = BotsUser(admin, max_concurrent_bots=100_000)
    bot = PlayedBot.of(redis, user.workspace_id, user.send_bot()).tell(node, "joining", "active")
    path = os.path.join(module_servers.folder, "schemathesis.toml")
    with open(path, "w") as file:
        file.write(CONFIGURATION.format(
            token=user.token, admin_key=ADMIN_KEY, secret=bot.secret, workspace=user.workspace_id, bot=bot.bot_id,
            user=user.user["id"]))
    program = os.path.join(os.path.dirname(sys.executable), "st")
    run = subprocess.run(
        [program, "--config-file", path, "run", f"http://127.0.0.1:{node.port}/openapi.json", "--no-color"],
        cwd=module_servers.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)
    assert run.returncode == 0, run.stdout[-20_000:]
    # All of it, but for the description itself, from which it starts, and the two that have no end.
    count = sum(map(len, DOCUMENT["paths"].values())) - 1
    assert f"{count - 2} selected / {count} total" in run.stdout, run.stdout
    assert node.alive
