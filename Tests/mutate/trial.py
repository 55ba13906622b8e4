"""Runs the tests that concern a mutant, until the first of them fails."""

import dataclasses
import os
import shlex
import signal
import subprocess
import sys
import threading
import time

from rewrite import VARIABLE

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "system"))
from harness.process import session_members

PASSED, FAILED, TIMED_OUT = "passed", "failed", "timed out"
# What Swift Testing puts before each issue; pytest ends by itself.
SIGN_OF_FAILURE = "✘"
# The exit codes of both if they find no test by its name.
NO_TESTS = (69, 5)


@dataclasses.dataclass(frozen=True)
class Outcome:
    result: str
    seconds: float
    log: str


class Trials:
    def __init__(self, build, system_folder, deadline_s):
        self._build = build
        self._system_folder = system_folder
        self._deadline_s = deadline_s

    def run(self, tests, number=0):
        """Runs tests, as a mutant's `tests`, against the mutant of this number; against none if it is 0."""
        filters = [test for test in tests if not is_system_test(test)]
        commands = [self._swift(filters)] if filters else []
        commands += [self._pytest(test) for test in tests if is_system_test(test)]
        began = time.monotonic()
        log = ""
        for command in commands:
            left = self._deadline_s - (time.monotonic() - began)
            result, output = _run(command, self._environment(number), self._build.source, left)
            log += output
            if result != PASSED:
                return Outcome(result, time.monotonic() - began, log)
        return Outcome(PASSED, time.monotonic() - began, log)

    def _swift(self, filters):
        words = [self._build.test_program(), "--testing-library", "swift-testing"]
        for text in filters:
            words += ["--filter", text]
        return words

    def _pytest(self, test):
        file, *more = shlex.split(test)
        return [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
                os.path.join(self._system_folder, file), *more]

    def _environment(self, number):
        return {**os.environ, VARIABLE: str(number), "USHER": self._build.command("usher", number)}


def is_system_test(test):
    return test.split()[0].endswith(".py")


def _run(command, environment, folder, seconds):
    """(result, output): ends the program at the first sign that a test has failed, which is all that counts."""
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True)
    is_late = threading.Event()

    def end():
        is_late.set()
        _kill(process)

    timer = threading.Timer(max(0, seconds), end)
    timer.start()
    lines, has_failed = [], False
    try:
        for line in process.stdout:
            lines.append(line.decode(errors="replace"))
            # Tests that are under way would go on for as long as their patience lasts.
            if not has_failed and SIGN_OF_FAILURE in lines[-1]:
                has_failed = True
                _kill(process)
    finally:
        timer.cancel()
        _kill(process)
        process.wait()
    output = "".join(lines)
    if has_failed:
        return FAILED, output
    if is_late.is_set():
        return TIMED_OUT, output
    if process.returncode in NO_TESTS:
        raise SystemExit(f"There is no such test: {shlex.join(command)}")
    return (PASSED if process.returncode == 0 else FAILED), output


def _kill(process):
    """Ends a program and what it started, such as servers, in whatever group: who lives on keeps its output open."""
    while members := session_members(process.pid):
        for pid in members:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # It ended by itself in between.
