"""The commands that a fault can be put beside, as the proxies between Usher and Redis see them."""

import hashlib
import os

from harness.node import REPOSITORY
from harness.proxy import is_lock

# What decides who may be in a room: the lock, and the scripts by their files' names.
DECISIONS = ("lock", "dispatch", "request_bot", "claim", "renew", "report", "stop", "lose_bot")

_script_names = {}


def know_scripts(folder):
    """Makes the scripts of a folder known: those of a mutant, beside Usher's own."""
    for entry in os.listdir(folder):
        if entry.endswith(".lua"):
            _script_names[digest(script_text(folder, entry))] = entry.removesuffix(".lua")


def script_text(folder, path):
    """A script as Usher loads it: its flags first, includes put in, comment lines and empty ones left out."""
    directive = "-- flags: "
    with open(os.path.join(folder, path)) as file:
        flags = [line.removeprefix(directive).rstrip("\n") for line in file if line.startswith(directive)]
    return "\n".join([*(f"#!lua flags={each}" for each in flags[:1]), *_lines(folder, path)]).encode()


def _lines(folder, path):
    directive = "-- include: "
    with open(os.path.join(folder, path)) as file:
        for line in file.read().split("\n"):
            if line.startswith(directive):
                yield from _lines(folder, f"includes/{line.removeprefix(directive)}.lua")
            elif line and not line.startswith("--"):
                yield line


def digest(text):
    """What Redis knows a script by."""
    return hashlib.sha1(text).hexdigest().encode()


know_scripts(os.path.join(REPOSITORY, "lua"))


def name_of(command):
    """`lock`, or the name of the script that a command runs, by its hash or with its text; None for all others."""
    kind = command[0].upper()
    if kind == b"EVALSHA":
        return _script_names.get(command[1])
    if kind == b"EVAL":
        return _script_names.get(digest(command[1]))
    return "lock" if is_lock(command) else None


def is_about_records(command):
    """Whether a command names one of Usher's keys: it belongs to some work, and not to a connection's own needs."""
    return any(argument.startswith(b"usher:") for argument in command[1:])
