"""What browsers are told: fields of every answer, and which pages of other origins may use the APIs."""

import pytest

from harness.http_client import request

APP = "https://app.example.com"
COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
PREFLIGHT = {"Origin": APP, "Access-Control-Request-Method": "POST"}


@pytest.fixture(scope="module")
def sharing(module_servers):
    """A node for the pages of two origins, and one for all pages."""
    redis = module_servers.redis()
    return {
        "listed": module_servers.node(redis, CORS_ORIGINS=f"{APP},http://localhost:3000"),
        "all": module_servers.node(redis, CORS_ORIGINS="*"),
    }


def cors(answer):
    """The fields of an answer that browsers decide by."""
    names = [name for name, _ in answer.headers if name.lower().startswith("access-control-") or name == "Vary"]
    assert len(names) == len(set(names)), answer.headers
    return {name: answer.header(name) for name in names}


@pytest.mark.parametrize("method, path, status", [
    ("GET", "/healthz", 200), ("GET", "/bots/status", 401), ("GET", "/nowhere", 404), ("PUT", "/bots", 405),
    ("OPTIONS", "/bots", 204), ("GET", "/admin/users", 403), ("GET", "/%2e", 400),
])
def test_every_answer_says_what_it_is(node, method, path, status):
    answer = node.request(method, path)
    assert answer.status == status
    for name, value in COMMON.items():
        assert [found for key, found in answer.headers if key == name] == [value]
    # Nobody of another origin is let in unless somebody says so.
    assert cors(node.request(method, path, headers=PREFLIGHT)) == {}


@pytest.mark.parametrize("server, origin, allowed", [
    ("listed", APP, APP), ("listed", "http://localhost:3000", "http://localhost:3000"), ("listed", "null", None),
    ("listed", "https://app.example.com.evil.org", None), ("listed", "http://app.example.com", None),
    ("listed", APP + ":444", None), ("listed", f"{APP}, {APP}", None), ("listed", None, None),
    ("all", "https://anything.example", "*"), ("all", "null", "*"), ("all", None, None),
])
def test_pages_of_listed_origins_may_read_answers(sharing, server, origin, allowed):
    vary = {"Vary": "Origin"} if server == "listed" else {}
    shared = {"Access-Control-Allow-Origin": allowed} if allowed else {}
    headers = {"Origin": origin} if origin else {}
    for method, path in [("GET", "/bots/status"), ("GET", "/healthz"), ("GET", "/nowhere"), ("POST", "/healthz")]:
        answer = sharing[server].request(method, path, headers=headers)
        exposed = {"Access-Control-Expose-Headers": "X-Request-Id, Retry-After, ETag"} if allowed else {}
        assert cors(answer) == {**vary, **shared, **exposed}, (method, path)
    preflight = {**headers, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-api-key"}
    answer = sharing[server].request("OPTIONS", "/bots/google_meet/abc-defg-hij/config", headers=preflight)
    granted = {
        "Access-Control-Allow-Methods": "OPTIONS, PUT",
        "Access-Control-Allow-Headers": "Authorization, X-API-Key, Content-Type, X-Request-Id, Idempotency-Key, "
            "traceparent, "
            "If-None-Match, Last-Event-ID",
        "Access-Control-Max-Age": "600",
    } if allowed else {}
    assert answer.status == 204 and cors(answer) == {**vary, **shared, **granted}


@pytest.mark.parametrize("path", [
    "/admin/users", "/%61dmin/users", "/internal/bots/3fa85f64-5717-4562-b3fc-2c963f66afa6/status", "/metrics",
])
def test_nothing_else_is_for_pages(sharing, path):
    for node in sharing.values():
        for method in ["GET", "POST", "OPTIONS"]:
            assert cors(node.request(method, path, headers=PREFLIGHT)) == {}


def test_an_origin_that_is_none_stops_the_start(servers):
    redis = servers.redis()
    for origins in ["https://app.example.com/", "app.example.com", "https://", "ftp://a.b", f"{APP},", "https://A.b"]:
        node = servers.node(redis, start=False, CORS_ORIGINS=origins)
        node.spawn()
        assert node.wait() == 2
        assert "USHER_CORS_ORIGINS" in node.output + node.log
