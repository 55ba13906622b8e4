"""The image's build, as far as it can be seen without Docker: `make compose-test` does all of it."""

import glob
import os
import shutil
import subprocess

from harness.node import REPOSITORY


def test_what_docker_is_given_is_a_whole_package(tmp_path):
    """Package.swift names folders, and `.dockerignore` passes on only those that it lists."""
    with open(os.path.join(REPOSITORY, ".dockerignore")) as file:
        rules = [line.strip() for line in file if line.strip() and not line.startswith("#")]
    assert rules[0] == "*" and all(rule.startswith("!") for rule in rules[1:])
    for rule in rules[1:]:
        paths = glob.glob(rule[1:], root_dir=REPOSITORY)
        assert paths, f".dockerignore lists {rule[1:]}, which is not there"
        for path in paths:
            source, copy = os.path.join(REPOSITORY, path), tmp_path / path
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, copy) if os.path.isdir(source) else shutil.copy(source, copy)
    done = subprocess.run(
        ["swift", "package", "describe"], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
