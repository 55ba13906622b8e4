"""The administrator's API: users, workspaces, members and keys."""

import secrets

import pytest

from harness.envelope import assert_error
from harness.keys import api_key
from harness.node import ADMIN_KEY


def email():
    return f"user-{secrets.token_hex(8)}@example.com"


# The admin key

ENDPOINTS = [
    ("POST", "/admin/users", {"email": "a@example.com"}),
    ("POST", "/admin/workspaces", {"name": "W", "owner_user_id": 1}),
    ("GET", "/admin/workspaces", None),
    ("GET", "/admin/workspaces/{ws}", None),
    ("GET", "/admin/status", None),
    ("GET", "/admin/findings", None),
    ("GET", "/admin/plans", None),
    ("GET", "/admin/webhooks/failing", None),
    ("GET", "/admin/history", None),
    ("PATCH", "/admin/workspaces/{ws}", {"max_bytes": 1}),
    ("DELETE", "/admin/workspaces/{ws}", None),
    ("DELETE", "/admin/users/1", None),
    ("PUT", "/admin/workspaces/{ws}/members/1", {"role": "owner"}),
    ("DELETE", "/admin/workspaces/{ws}/members/1", None),
    ("POST", "/admin/workspaces/{ws}/keys", {"user_id": 1, "scopes": ["seameet"]}),
    ("GET", "/admin/workspaces/{ws}/keys", None),
    ("DELETE", "/admin/keys/1", None),
]


@pytest.mark.parametrize("method, path, body", ENDPOINTS, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("key", [None, "", "wrong", ADMIN_KEY[:-1], ADMIN_KEY + "x"])
def test_403_without_the_admin_key(node, workspace, method, path, body, key):
    headers = {} if key is None else {"X-Admin-API-Key": key}
    assert_error(node.request(method, path.format(ws=workspace.id), body=body, headers=headers), 403)


def test_403_for_a_workspaces_key(node, workspace):
    """An owner's key opens the owner's workspace and nothing of the administrator's."""
    for name in ("X-Admin-API-Key", "X-API-Key"):
        answer = node.request("POST", "/admin/users", body={"email": email()}, headers={name: workspace.key})
        assert_error(answer, 403)


def test_403_for_all_if_no_admin_key_is_configured(servers):
    node = servers.node(servers.redis(), ADMIN_KEY=None)
    for key in (None, "", ADMIN_KEY):
        headers = {} if key is None else {"X-Admin-API-Key": key}
        assert_error(node.request("POST", "/admin/users", body={"email": email()}, headers=headers), 403)


# Users


def test_user_is_created_once(admin):
    fields = {"email": email(), "name": "Ann", "image_url": "https://example.com/a.png", "max_concurrent_bots": 3}
    first = admin.request("POST", "/admin/users", fields)
    assert first.status == 201, first
    user = first.json
    assert isinstance(user["id"], int)
    assert {name: user[name] for name in fields} == fields
    assert user["workspace_id"]
    again = admin.request("POST", "/admin/users", {"email": fields["email"]})
    assert again.status == 200
    assert (again.json["id"], again.json["workspace_id"]) == (user["id"], user["workspace_id"])


def test_a_users_personal_workspace_is_the_users_own(admin):
    user = admin.create_user()
    key = admin.create_key(user["workspace_id"], user["id"])["key"]
    path = f"/api/v1/public/meeting/{user['workspace_id']}/meetings"
    answer = admin.node.request("POST", path, body={"meeting_url": "https://meet.google.com/abc-defg-hij"},
                                headers={"X-API-Key": key})
    assert answer.status == 201, answer


@pytest.mark.parametrize("body, field", [
    ({}, "email"), ({"email": ""}, "email"), ({"email": 1}, "email"), ({"email": "nonsense"}, "email"),
    ({"email": None}, "email"), ({"email": "a@example.com", "max_concurrent_bots": "3"}, "max_concurrent_bots"),
    ({"email": "a@example.com", "max_concurrent_bots": -1}, "max_concurrent_bots"),
    ({"email": "a@example.com", "max_concurrent_bots": 1.5}, "max_concurrent_bots"),
    ({"email": "a@example.com", "name": 5}, "name"), ([], None), ("text", None),
])
def test_422_user(admin, body, field):
    answer = admin.request("POST", "/admin/users", body)
    assert_error(answer, 422)
    assert field is None or field in answer.json["detail"]


# Workspaces and members


def test_workspace(admin):
    owner = admin.create_user()
    answer = admin.request("POST", "/admin/workspaces", {
        "name": "Überblick", "owner_user_id": owner["id"], "max_concurrent_bots": 7})
    assert answer.status == 201, answer
    record = answer.json
    assert record["id"] and (record["name"], record["max_concurrent_bots"]) == ("Überblick", 7)


@pytest.mark.parametrize("change, field", [
    ({"name": None}, "name"), ({"name": 1}, "name"), ({"owner_user_id": "x"}, "owner_user_id"),
    ({"owner_user_id": None}, "owner_user_id"), ({"max_concurrent_bots": "7"}, "max_concurrent_bots"),
])
def test_422_workspace(admin, change, field):
    answer = admin.request("POST", "/admin/workspaces", {
        "name": "W", "owner_user_id": admin.create_user()["id"], **change})
    assert_error(answer, 422)
    assert field in answer.json["detail"]


def test_unknown_owner_workspace_user_or_key(admin, workspace):
    """What is named but isn't there: 404, or 422 where a body names it."""
    user = admin.create_user()
    for method, path, body in [
        ("POST", "/admin/workspaces", {"name": "W", "owner_user_id": 2**40}),
        ("PUT", f"/admin/workspaces/no-such-workspace/members/{user['id']}", {"role": "owner"}),
        ("PUT", f"/admin/workspaces/{workspace.id}/members/{2**40}", {"role": "owner"}),
        ("POST", "/admin/workspaces/no-such-workspace/keys", {"user_id": user["id"], "scopes": ["seameet"]}),
        ("POST", f"/admin/workspaces/{workspace.id}/keys", {"user_id": 2**40, "scopes": ["seameet"]}),
        ("GET", "/admin/workspaces/no-such-workspace/keys", None),
    ]:
        answer = admin.request(method, path, body)
        assert answer.status in (404, 422), f"{method} {path}: {answer}"
        assert_error(answer, answer.status)
    assert admin.request("DELETE", "/admin/keys/no-such-key").status == 404


def test_roles_are_written_and_removed(redis, admin, workspace):
    user = admin.create_user()
    for role in ("viewer", "member", "manager", "owner"):
        admin.set_role(workspace.id, user["id"], role)
        assert redis.hash(workspace.keys.members)[str(user["id"])] == role
    path = f"/admin/workspaces/{workspace.id}/members/{user['id']}"
    assert admin.request("DELETE", path).status in (200, 204)
    assert str(user["id"]) not in redis.hash(workspace.keys.members)


@pytest.mark.parametrize("body", [{}, {"role": "king"}, {"role": ""}, {"role": None}, {"role": "Owner"}, []])
def test_422_role(redis, admin, workspace, body):
    before = redis.hash(workspace.keys.members)
    path = f"/admin/workspaces/{workspace.id}/members/{workspace.owner['id']}"
    assert_error(admin.request("PUT", path, body), 422)
    assert redis.hash(workspace.keys.members) == before


# Keys


def listed(admin, workspace):
    answer = admin.request("GET", f"/admin/workspaces/{workspace.id}/keys")
    assert answer.status == 200, answer
    return answer


def records(answer):
    return answer.json["keys"] if isinstance(answer.json, dict) else answer.json


def test_key_is_shown_once(redis, admin, workspace):
    answer = admin.request("POST", f"/admin/workspaces/{workspace.id}/keys", {
        "user_id": workspace.owner["id"], "scopes": ["seameet", "bots"], "label": "mine"})
    assert answer.status == 201, answer
    record = answer.json
    assert len(record["key"]) >= 32
    assert (record["scopes"], record["label"]) == (["seameet", "bots"], "mine")
    # Stored nowhere but under its hash (docs/architecture.md, "Keys").
    assert redis.call("EXISTS", api_key(record["key"])) == 1
    assert all(record["key"] not in str(redis.value(key)) for key in redis.scan("usher:*"))
    answer = listed(admin, workspace)
    assert record["key"] not in answer.body.decode()
    [shown] = [entry for entry in records(answer) if entry["id"] == record["id"]]
    assert "key" not in shown
    assert (shown["scopes"], shown["label"]) == (["seameet", "bots"], "mine")


def test_revoked_key_is_gone(redis, admin, workspace):
    record = admin.create_key(workspace.id, workspace.owner["id"])
    assert admin.request("DELETE", f"/admin/keys/{record['id']}").status == 204
    assert record["id"] not in [entry["id"] for entry in records(listed(admin, workspace))]
    assert redis.call("EXISTS", api_key(record["key"])) == 0
    assert admin.request("DELETE", f"/admin/keys/{record['id']}").status == 404


@pytest.mark.parametrize("change, field", [
    ({"user_id": None}, "user_id"), ({"user_id": "x"}, "user_id"), ({"scopes": None}, "scopes"),
    ({"scopes": "seameet"}, "scopes"), ({"scopes": []}, "scopes"), ({"scopes": [1]}, "scopes"),
    ({"scopes": ["no-such-scope"]}, "scopes"), ({"label": 5}, "label"), ({"expires_at": "tomorrow"}, "expires_at"),
    ({"expires_at": True}, "expires_at"),
])
def test_422_key(admin, workspace, change, field):
    before = len(records(listed(admin, workspace)))
    answer = admin.request("POST", f"/admin/workspaces/{workspace.id}/keys", {
        "user_id": workspace.owner["id"], "scopes": ["seameet"], **change})
    assert_error(answer, 422)
    assert field in answer.json["detail"]
    assert len(records(listed(admin, workspace))) == before


def test_no_secret_reaches_the_log(shared, admin, workspace):
    """Style 6: texts that reach logs never carry keys."""
    workspace.reinvite(workspace.create_meeting("https://us02web.zoom.us/j/12345678901?pwd=a-passcode"))
    text = "".join(text for name, text in shared.logs())
    assert workspace.key not in text and ADMIN_KEY not in text and "a-passcode" not in text
