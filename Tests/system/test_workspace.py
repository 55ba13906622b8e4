"""What the owners of a workspace do with its members and API keys, by a key of their own."""

import datetime
import secrets

import pytest

from harness.bots_user import BotsUser
from harness.envelope import assert_bots_error
from harness.http_client import NO_BODY
from harness.keys import api_key
from harness.workspace import dump


def in_hours(hours):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def ask(user, method, path, body=NO_BODY, key=None):
    """As the owner, or with another key of the workspace."""
    return user.request(method, f"/workspace/{path}", body, headers={"X-API-Key": key or user.token})


def make_key(user, key=None, **fields):
    answer = ask(user, "POST", "keys", {"scopes": ["seameet"], **fields}, key)
    assert answer.status == 201, answer
    return answer.json


def roles(redis, user):
    return redis.hash(user.keys.members)


def member(user, role):
    """Somebody else in the user's workspace, and a key of theirs for it with every scope."""
    other = user.admin.create_user()
    user.admin.set_role(user.workspace_id, other["id"], role)
    return other, user.admin.create_key(user.workspace_id, other["id"], ["seameet", "bots"])["key"]


# --- Who may --------------------------------------------------------------------------------------------------------

ENDPOINTS = [
    ("GET", "members", NO_BODY), ("POST", "members", {"email": "a@example.com", "role": "owner"}),
    ("PUT", "members/{id}", {"role": "owner"}), ("DELETE", "members/{id}", NO_BODY), ("GET", "keys", NO_BODY),
    ("POST", "keys", {"scopes": ["bots"]}), ("DELETE", "keys/{key}", NO_BODY), ("POST", "keys/{key}/rotate", {}),
]


@pytest.mark.parametrize("role", ["viewer", "member", "manager"])
def test_only_owners_may(redis, user, role):
    other, key = member(user, role)
    own = ask(user, "GET", "keys").json["keys"][0]["id"]
    before = dump(redis, user.as_workspace())
    for method, path, body in ENDPOINTS:
        answer = ask(user, method, path.format(id=other["id"], key=own), body, key)
        assert_bots_error(answer, 403, "Forbidden", "role owner")
    assert dump(redis, user.as_workspace()) == before
    unscoped = user.admin.create_key(user.workspace_id, user.user["id"], ["seameet"])["key"]
    assert_bots_error(ask(user, "GET", "keys", key=unscoped), 403, "Forbidden", "scope bots")
    assert_bots_error(ask(user, "GET", "keys", key="usher_none"), 401, "Unauthorized")


def test_what_is_of_another_workspace_is_not_there(redis, admin, user):
    other = BotsUser(admin)
    [theirs] = ask(other, "GET", "keys").json["keys"]
    before = dump(redis, other.as_workspace())
    assert_bots_error(ask(user, "DELETE", f"keys/{theirs['id']}"), 404, "Not found")
    assert_bots_error(ask(user, "POST", f"keys/{theirs['id']}/rotate"), 404, "Not found")
    assert_bots_error(ask(user, "PUT", f"members/{other.user['id']}", {"role": "viewer"}), 404, "Not found")
    assert_bots_error(ask(user, "DELETE", f"members/{other.user['id']}"), 404, "Not found")
    assert_bots_error(ask(user, "POST", "keys", {"scopes": ["bots"], "user_id": other.user["id"]}), 404, "Not found")
    assert dump(redis, other.as_workspace()) == before
    assert roles(redis, user) == {str(user.user["id"]): "owner"}
    assert other.user["email"] not in ask(user, "GET", "members").body.decode()


# --- Keys -----------------------------------------------------------------------------------------------------------


def test_a_key_is_made_shown_once_used_and_revoked(redis, user):
    end = in_hours(5)
    made = make_key(user, label="calendar", expires_at=end)
    assert (made["label"], made["scopes"], made["user_id"]) == ("calendar", ["seameet"], user.user["id"])
    assert made["expires_at"] == end and made["last_used_at"] is None
    path = f"/api/v1/public/meeting/{user.workspace_id}/meetings"
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert user.node.request("GET", path, headers=headers).status == 200
    listed = ask(user, "GET", "keys")
    assert made["key"] not in listed.body.decode()
    assert [key["label"] for key in listed.json["keys"]] == ["token", "calendar"]
    assert ask(user, "DELETE", f"keys/{made['id']}").status == 204
    assert redis.call("EXISTS", api_key(made["key"])) == 0
    assert user.node.request("GET", path, headers=headers).status == 401
    assert_bots_error(ask(user, "DELETE", f"keys/{made['id']}"), 404, "Not found")


def test_a_key_of_a_member_has_the_members_role(user):
    other, _ = member(user, "viewer")
    made = make_key(user, scopes=["bots"], user_id=other["id"])
    caller = user.request("GET", "/user", headers={"X-API-Key": made["key"]}).json
    assert (caller["user_id"], caller["role"], caller["key_id"]) == (other["id"], "viewer", made["id"])


def test_a_key_gives_no_more_than_it_has(redis, user):
    narrow = make_key(user, scopes=["bots"])["key"]
    owners = ask(user, "GET", "keys").json["keys"][0]
    before = dump(redis, user.as_workspace())
    assert_bots_error(ask(user, "POST", "keys", {"scopes": ["bots", "seameet"]}, narrow), 403, "Forbidden", "seameet")
    assert_bots_error(ask(user, "POST", f"keys/{owners['id']}/rotate", {}, narrow), 403, "Forbidden", "seameet")
    assert dump(redis, user.as_workspace()) == before

    end = in_hours(2)
    short = make_key(user, scopes=["seameet", "bots"], expires_at=end)
    before = dump(redis, user.as_workspace())
    for expiry in [{}, {"expires_at": None}, {"expires_at": in_hours(3)}]:
        answer = ask(user, "POST", "keys", {"scopes": ["bots"], **expiry}, short["key"])
        assert_bots_error(answer, 403, "Forbidden", end)
    assert_bots_error(ask(user, "POST", f"keys/{owners['id']}/rotate", {}, short["key"]), 403, "Forbidden", end)
    assert dump(redis, user.as_workspace()) == before
    assert make_key(user, short["key"], expires_at=end)["expires_at"] == end
    # One that was replaced makes nothing that outlives its grace.
    rotated = ask(user, "POST", f"keys/{short['id']}/rotate", {"grace_seconds": 60}, short["key"])
    assert rotated.status == 201 and rotated.json["expires_at"] == end
    answer = ask(user, "POST", "keys", {"scopes": ["bots"], "expires_at": end}, short["key"])
    assert_bots_error(answer, 403, "Forbidden", "ends at")


def test_a_key_is_replaced_once(user):
    old = make_key(user, scopes=["bots"], label="archive")
    first = ask(user, "POST", f"keys/{old['id']}/rotate", {"grace_seconds": 600})
    assert first.status == 201
    new = first.json
    assert (new["label"], new["scopes"], new["rotated_from"]) == ("archive", ["bots"], old["id"])
    for key in (old["key"], new["key"]):
        assert user.request("GET", "/user", headers={"X-API-Key": key}).status == 200
    again = ask(user, "POST", f"keys/{old['id']}/rotate", {})
    assert_bots_error(again, 409, "Conflict", "rotate it in turn")
    assert again.json["rotated_to"] == new["id"]
    # At once, where that is wanted.
    last = ask(user, "POST", f"keys/{new['id']}/rotate", {"grace_seconds": 0}).json
    assert user.request("GET", "/user", headers={"X-API-Key": new["key"]}).status == 401
    assert user.request("GET", "/user", headers={"X-API-Key": last["key"]}).status == 200


@pytest.mark.parametrize("body, field", [
    ({}, "scopes"), ({"scopes": []}, "scopes"), ({"scopes": ["all"]}, "scopes"), ({"scopes": "bots"}, "scopes"),
    ({"scopes": ["bots"], "label": ""}, "label"), ({"scopes": ["bots"], "label": "x" * 201}, "label"),
    ({"scopes": ["bots"], "label": "a\u0000b"}, "label"), ({"scopes": ["bots"], "user_id": "1"}, "user_id"),
    ({"scopes": ["bots"], "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ({"scopes": ["bots"], "expires_at": "soon"}, "expires_at"),
])
def test_422_key(redis, user, body, field):
    before = dump(redis, user.as_workspace())
    answer = ask(user, "POST", "keys", body)
    assert_bots_error(answer, 422, "Invalid request", field)
    assert dump(redis, user.as_workspace()) == before


# --- Members --------------------------------------------------------------------------------------------------------


def test_a_member_is_added_changed_and_removed(redis, admin, user):
    other = admin.create_user(name="Ben <b>")
    added = ask(user, "POST", "members", {"email": other["email"].upper(), "role": "viewer"})
    assert added.status == 201, added
    assert added.json == {"user_id": other["id"], "email": other["email"], "name": "Ben <b>", "role": "viewer"}
    # Its answer was lost; and somebody else would have given another role.
    assert ask(user, "POST", "members", {"email": other["email"], "role": "viewer"}).status == 201
    answer = ask(user, "POST", "members", {"email": other["email"], "role": "owner"})
    assert_bots_error(answer, 409, "Conflict", "already")
    assert ask(user, "GET", "members").json["members"] == [
        {"user_id": user.user["id"], "email": user.user["email"], "name": user.user["name"], "role": "owner"}, added.json]
    key = make_key(user, scopes=["bots"], user_id=other["id"])["key"]
    assert ask(user, "PUT", f"members/{other['id']}", {"role": "manager"}).status == 204
    assert user.request("GET", "/user", headers={"X-API-Key": key}).json["role"] == "manager"
    assert ask(user, "DELETE", f"members/{other['id']}").status == 204
    assert user.request("GET", "/user", headers={"X-API-Key": key}).status == 403
    assert_bots_error(ask(user, "DELETE", f"members/{other['id']}"), 404, "Not found")
    # Nobody becomes a member by a number that anybody could count up to.
    assert_bots_error(ask(user, "PUT", f"members/{other['id']}", {"role": "viewer"}), 404, "Not found")
    assert roles(redis, user) == {str(user.user["id"]): "owner"}


def test_the_last_owner_stays(redis, user):
    own = f"members/{user.user['id']}"
    for answer in (ask(user, "DELETE", own), ask(user, "PUT", own, {"role": "manager"})):
        assert_bots_error(answer, 409, "Conflict", "no owner left")
    other, key = member(user, "owner")
    assert ask(user, "PUT", own, {"role": "viewer"}).status == 204
    # What the former owner asks for from now on is refused; the other one cannot go either.
    assert_bots_error(ask(user, "PUT", own, {"role": "owner"}), 403, "Forbidden", "role owner")
    answer = ask(user, "DELETE", f"members/{other['id']}", key=key)
    assert_bots_error(answer, 409, "Conflict", "no owner left")
    assert roles(redis, user) == {str(user.user["id"]): "viewer", str(other["id"]): "owner"}


def test_a_workspace_has_so_many_members_at_most(redis, admin, user):
    redis.call("HSET", user.keys.members, *[part for number in range(999) for part in (10**9 + number, "viewer")])
    other = admin.create_user()
    answer = ask(user, "POST", "members", {"email": other["email"], "role": "viewer"})
    assert_bots_error(answer, 409, "Conflict", "1000 members")
    # A member whose user is gone does not hide the others.
    assert [one["user_id"] for one in ask(user, "GET", "members").json["members"]] == [user.user["id"]]
    redis.call("HDEL", user.keys.members, 10**9)
    assert ask(user, "POST", "members", {"email": other["email"], "role": "viewer"}).status == 201


@pytest.mark.parametrize("body, status, name", [
    ({}, 422, "email"), ({"email": "a@example.com"}, 422, "role"), ({"email": 1, "role": "viewer"}, 422, "email"),
    ({"email": "a@example.com", "role": "king"}, 422, "role"), ({"email": "x" * 300, "role": "viewer"}, 422, "email"),
    ({"email": f"{secrets.token_hex(8)}@example.com", "role": "viewer"}, 404, "email"), ([], 422, "object"),
])
def test_what_is_no_member(redis, user, body, status, name):
    before = roles(redis, user)
    answer = ask(user, "POST", "members", body)
    assert answer.status == status and name in answer.json["detail"], answer
    assert roles(redis, user) == before
