"""`deploy/prometheus` and `deploy/grafana`: that the alerts fire when they should and at no other time, and that both go by
what nodes and runners really show."""

import json
import os
import re
import subprocess

import pytest
import yaml

from harness.metrics import Scrape
from harness.node import REPOSITORY
from harness.waiting import wait_for
from test_documents import anchor, headings

FOLDER = os.path.join(REPOSITORY, "deploy", "prometheus")
SELECTOR = re.compile(r"\b((?:usher|process)_\w+|up)\b(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
# What Prometheus itself adds, or counts as a metric.
ADDED = {"job", "instance"}


def promtool(*arguments):
    return subprocess.run(["promtool", *arguments], cwd=FOLDER, capture_output=True, text=True, timeout=300)


def rules():
    with open(os.path.join(FOLDER, "alerts.yaml"), encoding="utf-8") as file:
        return [rule for group in yaml.safe_load(file)["groups"] for rule in group["rules"]]


def panels():
    with open(os.path.join(REPOSITORY, "deploy", "grafana", "usher.json"), encoding="utf-8") as file:
        return [panel for panel in json.load(file)["panels"] if panel["type"] != "row"]


def questions():
    """Every expression of the dashboard, as Grafana asks it."""
    return [target["expr"].replace("$__rate_interval", "5m") for panel in panels() for target in panel["targets"]]


def faults(expression, known):
    """What an expression asks for and nobody shows.

    - known: by the name of a metric, the values of each of its labels.
    """
    found, labels = [], set(ADDED)
    for name, matchers in SELECTOR.findall(expression):
        if name != "up" and name not in known:
            found.append(name)
            continue
        shown = known.get(name, {})
        labels |= set(shown)
        for label, operator, text in MATCHER.findall(matchers):
            values = [text] if operator in ("=", "!=") else text.split("|")
            if label in ADDED:
                continue
            if label not in shown:
                found.append(f"{name}{{{label}}}")
            # Which statuses there are depends on what happens.
            elif label != "status":
                found += [f"{name}{{{label}={value}}}" for value in values if value not in shown[label]]
    for by in re.findall(r"\bby \(([^)]*)\)", expression):
        found += [f"by {label}" for label in by.split(", ") if label not in labels]
    return found


@pytest.fixture(scope="module")
def known(module_servers):
    """What a node and a runner show."""
    redis = module_servers.redis()
    archive = os.path.join(module_servers.folder, "archive")
    os.mkdir(archive)
    node = module_servers.node(redis, ARCHIVE=archive)
    runner = module_servers.runner(redis, node, METRICS_PORT=0)
    [runner_port] = [int(line["port"]) for line in runner.says("Listening")]
    values = {}
    for port in (node.port, runner_port):
        for path in ("/healthz", "/readyz", "/metrics"):
            node.request("GET", path)
        wait_for(lambda: Scrape(port).value("usher_http_requests_total", method="GET", route="/metrics", status="200",
                                            code="200"), "the count of a scrape")
        for name, labels in Scrape(port).series:
            for label, value in labels:
                values.setdefault(name, {}).setdefault(label, set()).add(value)
            values.setdefault(name, {})
    return values


def test_the_alerts_fire_when_they_should():
    check = promtool("check", "rules", "alerts.yaml")
    assert check.returncode == 0, check.stdout + check.stderr
    test = promtool("test", "rules", "alerts.test.yaml")
    assert test.returncode == 0, test.stdout + test.stderr


def test_each_alert_has_fired_in_a_test():
    with open(os.path.join(FOLDER, "alerts.test.yaml"), encoding="utf-8") as file:
        tests = yaml.safe_load(file)["tests"]
    fired = {re.fullmatch(r'\{alertname="(\w+)"\}', sample["labels"])[1]
             for test in tests for question in test["promql_expr_test"] for sample in question["exp_samples"]}
    assert fired == {rule["alert"] for rule in rules()}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_each_alert_says_what_to_do(rule):
    assert rule["labels"] in ({"severity": "critical"}, {"severity": "warning"})
    assert set(rule["annotations"]) == {"summary", "runbook"}
    assert rule["annotations"]["summary"].endswith(".")
    document, _, heading = rule["annotations"]["runbook"].partition("#")
    assert heading in {anchor(text) for text in headings(document)}


def test_alerts_and_dashboard_go_by_what_is_shown(known):
    assert {expression: faults(expression, known) for expression in [rule["expr"] for rule in rules()] + questions()
            if faults(expression, known)} == {}


@pytest.mark.parametrize("expression, found", [
    ("sum by (client) (usher_x_total)", []),
    ('usher_x_total{client="a", job="j"} / up{instance="i"}', []),
    ("usher_y_total", ["usher_y_total"]),
    ('usher_x_total{kind="a"}', ["usher_x_total{kind}"]),
    ('usher_x_total{client=~"a|b"}', ["usher_x_total{client=b}"]),
    ("sum by (kind) (usher_x_total)", ["by kind"]),
])
def test_what_nobody_shows_is_found(expression, found):
    assert faults(expression, {"usher_x_total": {"client": {"a"}}}) == found


def test_the_dashboard_asks_what_prometheus_understands(tmp_path):
    path = tmp_path / "dashboard.yaml"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": [
        {"record": f"dashboard:{number}", "expr": expression} for number, expression in enumerate(questions())]}]}))
    check = promtool("check", "rules", str(path))
    assert check.returncode == 0, check.stdout + check.stderr


def test_the_dashboard_has_each_panel_in_a_place_of_its_own():
    taken = set()
    for panel in panels():
        place = panel["gridPos"]
        fields = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                  for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24 and not taken & fields, panel["title"]
        taken |= fields
    assert len({panel["id"] for panel in panels()}) == len(panels())
