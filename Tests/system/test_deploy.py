"""What `deploy/` writes and starts is for its owner's eyes alone."""

import glob
import os
import re
import shutil
import stat
import subprocess

import pytest

from harness.node import REPOSITORY

DEPLOY = os.path.join(REPOSITORY, "deploy")


@pytest.fixture
def checkout(tmp_path):
    """A folder with `deploy/new-env`, under the umask of most shells."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(os.path.join(DEPLOY, "new-env"), tmp_path / "deploy")
    before = os.umask(0o022)
    yield tmp_path
    os.umask(before)


def new_env(checkout):
    return subprocess.run([checkout / "deploy" / "new-env"], capture_output=True, text=True, timeout=300)


NEW = "USHER_ARCHIVE=redis:\nUSHER_SECRETS=./secrets\n"
NAMES = {"admin-key", "redis-password", "bot-password", "operator-password", "redis-url", "bot-redis-url"}


def secrets(checkout):
    return {path.name: path.read_text().removesuffix("\n") for path in (checkout / "secrets").iterdir()}


def test_secrets_are_new_and_their_owners_alone(checkout):
    assert new_env(checkout).returncode == 0
    # Containers read the files as users of their own; on the machine nobody else comes to them.
    assert stat.S_IMODE((checkout / "secrets").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (checkout / "secrets").iterdir()} == {0o644}
    assert (checkout / ".env").read_text() == NEW
    assert stat.S_IMODE((checkout / ".env").stat().st_mode) == 0o600
    made = secrets(checkout)
    assert set(made) == NAMES
    values = [made["admin-key"], made["redis-password"], made["bot-password"], made["operator-password"]]
    assert len(set(values)) == 4 and all(re.fullmatch("[0-9a-f]{48}", value) for value in values)
    assert made["redis-url"] == f"redis://usher:{values[1]}@redis:6379/0"
    assert made["bot-redis-url"] == f"redis://usher-bot:{values[2]}@redis:6379/0"
    again = new_env(checkout)
    assert again.returncode == 1 and "There are secrets already" in again.stderr and secrets(checkout) == made
    assert sorted(os.listdir(checkout)) == [".env", "deploy", "secrets"]


def test_secrets_of_an_earlier_version_stay_what_they_are(checkout):
    before = "USHER_ADMIN_KEY=aaaaaaaaaaaaaaaaaaaa\nUSHER_REDIS_PASSWORD=r\nUSHER_BOT_PASSWORD=b\nUSHER_CAPACITY=7\n"
    (checkout / ".env").write_text(before)
    assert new_env(checkout).returncode == 0
    made = secrets(checkout)
    assert re.fullmatch("[0-9a-f]{48}", made.pop("operator-password"))
    assert made == {
        "admin-key": "aaaaaaaaaaaaaaaaaaaa", "redis-password": "r", "bot-password": "b",
        "redis-url": "redis://usher:r@redis:6379/0", "bot-redis-url": "redis://usher-bot:b@redis:6379/0"}
    assert (checkout / ".env").read_text() == before + "USHER_SECRETS=./secrets\n"


def test_a_lost_env_is_written_again_and_no_secret_replaced(checkout):
    assert new_env(checkout).returncode == 0
    made = secrets(checkout)
    (checkout / ".env").unlink()
    assert new_env(checkout).returncode == 0
    assert secrets(checkout) == made and (checkout / ".env").read_text() == "USHER_SECRETS=./secrets\n"


def test_a_secret_that_versions_before_did_not_know_is_added(checkout):
    assert new_env(checkout).returncode == 0
    made = secrets(checkout)
    (checkout / "secrets" / "operator-password").unlink()
    assert new_env(checkout).returncode == 0
    added = secrets(checkout)
    assert re.fullmatch("[0-9a-f]{48}", added["operator-password"]) and set(added) == NAMES
    assert added | {"operator-password": ""} == made | {"operator-password": ""}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (checkout / "secrets").iterdir()} == {0o644}
    assert (checkout / ".env").read_text() == NEW


@pytest.mark.parametrize("name", [".env", "secrets"])
def test_secrets_are_written_through_no_link(checkout, name):
    victim = checkout / "victim"
    (checkout / name).symlink_to(victim)
    assert new_env(checkout).returncode == 1
    assert not victim.exists() and (checkout / name).is_symlink() and sorted(os.listdir(checkout)) == sorted([name, "deploy"])


@pytest.mark.parametrize("path", glob.glob(os.path.join(DEPLOY, "*.service")), ids=os.path.basename)
def test_units_make_files_for_their_user_alone(path):
    with open(path) as file:
        assert "\nUMask=0077\n" in file.read()


def test_the_supervisors_of_a_runner_that_dies_live_on():
    """They run the clean-up of its bots."""
    with open(os.path.join(DEPLOY, "usher-runner.service"), encoding="utf-8") as unit:
        assert re.findall("^KillMode=(.*)$", unit.read(), re.MULTILINE) == ["process"]
