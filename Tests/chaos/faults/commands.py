"""The commands that a fault can be put beside, as the proxies between Usher and Redis see them."""

import functools
import hashlib
import os

from harness.node import REPOSITORY
from harness.proxy import is_lock


@functools.cache
def script_text(name):
    """A script of `lua/` as Usher loads it: includes put in, comment lines and empty ones left out."""
    return "\n".join(_lines(f"{name}.lua"))


def _lines(path):
    directive = "-- include: "
    with open(os.path.join(REPOSITORY, "lua", path)) as file:
        for line in file.read().split("\n"):
            if line.startswith(directive):
                yield from _lines(f"includes/{line.removeprefix(directive)}.lua")
            elif line and not line.startswith("--"):
                yield line


def is_script(name):
    """Whether a command runs this script, by its hash or with its text."""
    text = script_text(name).encode()
    digest = hashlib.sha1(text).hexdigest().encode()

    def matches(command):
        kind = command[0].upper()
        return kind == b"EVALSHA" and command[1] == digest or kind == b"EVAL" and command[1] == text
    return matches


def is_about_records(command):
    """Whether a command names one of Usher's keys: it belongs to some work, and not to a connection's own needs."""
    return any(argument.startswith(b"usher:") for argument in command[1:])


# What decides who may be in a room, and one command each that asks for it.
COMMANDS = {
    "lock": is_lock,
    **{name: is_script(name) for name in (
        "dispatch", "request_bot", "claim", "renew", "report", "stop", "lose_bot")},
}
