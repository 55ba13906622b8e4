"""Child processes of the tests: always ended, by their own id, whatever the test did to them."""

import json
import os
import shutil
import signal
import subprocess

from harness.waiting import DEADLINE_S, wait_for

# By its full path, since tests may give a child a PATH of their own.
SETPRIV = shutil.which("setpriv") or "setpriv"


class Process:
    """One child with its standard output and error in files.

    Start it from the main thread: the kernel's "end with your parent", which keeps a killed test run from
    leaving servers behind, is bound to the thread that forked.
    """

    def __init__(self, name, arguments, environment, folder):
        self.name = name
        self.arguments = [str(argument) for argument in arguments]
        self.environment = {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", **environment}
        self.folder = folder
        self.output_path = os.path.join(folder, f"{name}.out")
        self.log_path = os.path.join(folder, f"{name}.log")
        self._child = None
        # What its output and error go through (harness/stalled.py), if not straight to their files.
        self.output_tap = None
        self.error_tap = None

    @property
    def pid(self):
        return self._child.pid

    def spawn(self):
        taps = ((self.output_tap, self.output_path), (self.error_tap, self.log_path))
        for tap, path in taps:
            if tap is not None:
                tap.begin(path)
        with open(self.output_path, "ab") as output, open(self.log_path, "ab") as log:
            output, log = (file if tap is None else tap.descriptor for file, (tap, _) in zip((output, log), taps))
            self._child = subprocess.Popen(
                [SETPRIV, "--pdeathsig", "KILL", *self.arguments], env=self.environment, cwd=self.folder,
                stdin=subprocess.DEVNULL, stdout=output, stderr=log, start_new_session=True)

    @property
    def alive(self):
        return self._child is not None and self._child.poll() is None

    @property
    def peak_memory(self):
        """The most that it has ever had resident, in bytes."""
        with open(f"/proc/{self.pid}/status") as file:
            [line] = [line for line in file if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1_024

    def signal(self, number):
        """Sends a signal to this process alone."""
        self._child.send_signal(number)

    def pause(self):
        """SIGSTOP, and waits until the kernel shows every thread as stopped."""
        self.signal(signal.SIGSTOP)
        wait_for(lambda: set(_thread_states(self.pid)) == {"T"}, f"the stop of {self.name}")

    def resume(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """SIGKILL, and waits for the end. Harmless if it has ended."""
        if self.alive:
            self._child.kill()
        if self._child is not None:
            self._child.wait(DEADLINE_S)

    def wait(self, deadline_s=DEADLINE_S):
        """The exit status (negative for a signal); fails if the process does not end."""
        try:
            return self._child.wait(deadline_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {deadline_s:g} s\n{self.log}") from None

    def end(self):
        """Ends the process, and everything that it started and that is still in its session."""
        if self._child is None:
            return
        session = self.pid
        self.kill()
        for pid in session_members(session):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # It ended by itself in between.

    @property
    def output(self):
        return _read(self.output_path)

    @property
    def log(self):
        return _read(self.log_path)

    def said(self, message):
        """The log's lines with this message, as dictionaries."""
        lines = []
        for line in self.log.splitlines():
            if line.startswith("{") and line.endswith("}"):
                fields = json.loads(line)
                if fields["message"] == message:
                    lines.append(fields)
        return lines

    def says(self, message, **fields):
        """The log's lines with this message and these fields, once there is one: a line is written soon after what it
        tells of, not with it.
        """
        return wait_for(lambda: [line for line in self.said(message) if fields.items() <= line.items()],
                        f"{self.name}'s saying {message!r}")


def session_members(session):
    """The ids of the running processes of a session (zombies apart)."""
    members = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        fields = _stat_fields(f"/proc/{entry}/stat")
        # After the name: state, parent, process group, session.
        if fields and fields[0] not in "ZX" and int(fields[3]) == session:
            members.append(int(entry))
    return members


def is_running(pid):
    """Whether a process is there and is not a zombie."""
    fields = _stat_fields(f"/proc/{pid}/stat")
    return bool(fields) and fields[0] not in "ZX"


def children(pid):
    """The ids of a process's running children."""
    found = []
    for entry in os.listdir("/proc"):
        fields = _stat_fields(f"/proc/{entry}/stat") if entry.isdigit() else None
        if fields and fields[0] not in "ZX" and int(fields[1]) == pid:
            found.append(int(entry))
    return found


def descendants(pid):
    """The ids of the running processes that a process started, that these started, and so on."""
    started = {}
    for entry in os.listdir("/proc"):
        fields = _stat_fields(f"/proc/{entry}/stat") if entry.isdigit() else None
        if fields and fields[0] not in "ZX":
            started.setdefault(int(fields[1]), []).append(int(entry))
    found, generation = [], started.get(pid, [])
    while generation:
        found += generation
        generation = [child for process in generation for child in started.get(process, [])]
    return found


def _thread_states(pid):
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except FileNotFoundError:
        return []
    fields = [_stat_fields(f"/proc/{pid}/task/{thread}/stat") for thread in threads]
    return [entry[0] for entry in fields if entry]


def _stat_fields(path):
    """The fields of a /proc stat file that follow the command's name, which may itself hold spaces."""
    try:
        with open(path) as file:
            return file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _read(path):
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""
