"""compose.yaml as Debian's docker-compose reads it: what its profiles add. `make compose-test` runs the rest of it."""

import os
import re
import subprocess

import pytest
import yaml

from harness.node import BINARY, REPOSITORY

COMPOSE = "/usr/bin/docker-compose"
MEBIBYTES = {"m": 1, "g": 1024}


def services(*profiles, **environment):
    arguments = [word for profile in profiles for word in ("--profile", profile)]
    done = subprocess.run([COMPOSE, *arguments, "config"], cwd=REPOSITORY, capture_output=True, text=True, timeout=300,
                          env={**os.environ, "USHER_SECRETS": "/nowhere", **environment})
    assert done.returncode == 0, done.stderr
    return yaml.safe_load(done.stdout)["services"]


def mebibytes(limit):
    return int(limit[:-1]) * MEBIBYTES[limit[-1]]


@pytest.mark.parametrize("profile, added", [
    ("attend", {"attending-runner"}), ("speech", {"speech"}), ("monitoring", {"prometheus", "grafana"})])
def test_a_profile_adds_its_services_alone(profile, added):
    found = services(profile)
    assert {name for name, service in found.items() if profile in service.get("profiles", [])} == added
    assert all(re.fullmatch(r"[\w./-]+:[\w.-]*\d[\w.-]*", found[name]["image"]) for name in added - {"attending-runner"})


def test_bots_that_attend_have_what_they_need():
    found = services("attend", "speech")
    runner = found["attending-runner"]
    environment = runner["environment"]
    assert mebibytes(runner["mem_limit"]) >= 400 * int(environment["USHER_CAPACITY"]) + 500
    assert int(runner["stop_grace_period"].removesuffix("s")) * 1000 > int(environment["USHER_STOP_GRACE_MS"])
    # Sound waits on disk, which must not be memory.
    assert "/tmp" in str(runner["volumes"]) and "tmpfs" not in runner
    assert "speech" in found and environment["USHER_TRANSCRIPTION_URL"] == "http://speech:8000/v1/audio/transcriptions"
    assert environment["USHER_TRANSCRIPTION_MODEL"] in found["speech"]["environment"]["PRELOAD_MODELS"]
    # What both runners are told alike.
    other = found["runner"]
    assert set(other) - set(runner) == {"deploy", "tmpfs"}
    for name in ("read_only", "cap_drop", "pids_limit", "ulimits", "secrets", "healthcheck"):
        assert runner[name] == other[name], name


def test_the_attending_image_is_no_root_and_knows_its_settings():
    with open(os.path.join(REPOSITORY, "Dockerfile.attend")) as file:
        text = file.read()
    assert re.findall(r"^USER (.*)$", text, re.M)[-1] == "10001:10001"
    known = subprocess.run(
        [BINARY, "help", "settings", "--markdown"], capture_output=True, text=True, timeout=300).stdout
    names = set(re.findall(r"\b(USHER_[A-Z_]+)=", text)) | set(services("attend")["attending-runner"]["environment"])
    assert [name for name in names if f"`{name}`" not in known and name != "USHER_IMAGE"] == []
