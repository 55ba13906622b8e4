"""Checks of answers that hold for every endpoint."""


def assert_error(answer, status, code=None, **parameters):
    """The documented envelope: exactly `detail`, `code` and `parameters`; `code` is the status if none is given.

    The administrator's API has `error` beside them, for the clients of the Bots API.

    Parameters that are given must be there with these values; others may stand beside them.
    """
    assert answer.status == status, f"{status} was expected, not {answer}"
    assert answer.header("Content-Type").startswith("application/json"), answer.headers
    body = answer.json
    assert set(body) - {"error"} == {"detail", "code", "parameters"}, body
    assert answer.is_admin == ("error" in body), body
    assert body["code"] == (status if code is None else code), body
    assert isinstance(body["detail"], str) and body["detail"], body
    assert isinstance(body["parameters"], dict), body
    for name, value in parameters.items():
        assert body["parameters"].get(name) == value, body


def assert_bots_error(answer, status, error, names=""):
    """The form of the Bots API: `error` in a few words, `detail` with what to do, which must name `names`."""
    assert answer.status == status, f"{status} was expected, not {answer}"
    assert answer.header("Content-Type").startswith("application/json"), answer.headers
    body = answer.json
    assert body["error"] == error, body
    assert isinstance(body["detail"], str) and names in body["detail"], body
