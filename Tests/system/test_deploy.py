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
    return subprocess.run([checkout / "deploy" / "new-env"], capture_output=True, text=True, timeout=60)


def test_secrets_are_new_and_their_owners_alone(checkout):
    assert new_env(checkout).returncode == 0
    path = checkout / ".env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secrets = dict(line.split("=") for line in path.read_text().splitlines())
    assert set(secrets) == {"USHER_ADMIN_KEY", "USHER_REDIS_PASSWORD", "USHER_BOT_PASSWORD"}
    assert len(set(secrets.values())) == 3 and all(re.fullmatch("[0-9a-f]{48}", value) for value in secrets.values())
    before = path.read_text()
    again = new_env(checkout)
    assert again.returncode == 1 and "There is a .env already" in again.stderr and path.read_text() == before
    assert sorted(os.listdir(checkout)) == [".env", "deploy"]


def test_secrets_are_written_through_no_link(checkout):
    victim = checkout / "victim"
    (checkout / ".env").symlink_to(victim)
    assert new_env(checkout).returncode == 1
    assert not victim.exists() and (checkout / ".env").is_symlink()


@pytest.mark.parametrize("path", glob.glob(os.path.join(DEPLOY, "*.service")), ids=os.path.basename)
def test_units_make_files_for_their_user_alone(path):
    with open(path) as file:
        assert "\nUMask=0077\n" in file.read()
