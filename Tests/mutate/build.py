"""Builds one set of tests and programs that holds every mutant, from a copy of a package."""

import os
import subprocess

from rewrite import CHOICE, CHOICE_FILE, VARIABLE, rewritten

DEADLINE_S = 3600


class Build:
    """A copy of the package in `root`, in a folder of its own."""

    def __init__(self, root, folder, mutants, hooks=()):
        """`hooks` are (file, old, new): what lets processes that others start know which mutant they are."""
        self._root = root
        self._folder = folder
        self._mutants = mutants
        self._hooks = hooks

    @property
    def source(self):
        return os.path.join(self._folder, "source")

    @property
    def products(self):
        return os.path.join(self._folder, "scratch", "debug")

    def files(self):
        """What the copy holds: a file's name and its bytes."""
        files = {name: self._read(name) for name in _names(self._root)}
        by_file = {}
        for number, mutant in enumerate(self._mutants, start=1):
            by_file.setdefault(f"Sources/{mutant.file}", []).append((number, mutant))
        for name, numbered in by_file.items():
            files[name] = rewritten(files[name].decode(), numbered).encode()
            files[f"Sources/{numbered[0][1].module}/{CHOICE_FILE}"] = CHOICE.encode()
        for name, old, new in self._hooks:
            text = files[name].decode()
            if text.count(old) != 1:
                raise ValueError(f"{name}: a hook is to replace what occurs {text.count(old)} times, not once:\n{old}")
            files[name] = text.replace(old, new).encode()
        return files

    def make(self):
        """Brings the copy up to date, and builds what has changed."""
        _write_all(self.source, self.files())
        for name in _links(self._root):
            _link(os.readlink(os.path.join(self._root, name)), os.path.join(self.source, name))
        done = subprocess.run(
            ["swift", "build", "--build-tests", "--package-path", self.source, "--scratch-path",
             os.path.join(self._folder, "scratch")], capture_output=True, text=True, timeout=DEADLINE_S)
        if done.returncode != 0:
            # Each error is told once for each file of its module that is built.
            lines = dict.fromkeys(line for line in done.stdout.splitlines() if ": error: " in line)
            raise SystemExit("\n".join(["The mutants do not build:", *lines, done.stderr[-4000:]]))

    def test_program(self):
        """The program that runs the Swift tests."""
        return os.path.join(self.products, next(
            name for name in sorted(os.listdir(self.products)) if name.endswith(".xctest")))

    def command(self, name, number):
        """A program of the package that is this mutant, for tests that give programs an environment of their own."""
        path = os.path.join(self._folder, "programs", f"{name}-{number}")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\nexport {VARIABLE}={number}\nexec '{os.path.join(self.products, name)}' \"$@\"\n")
        os.chmod(path, 0o755)
        return path

    def _read(self, name):
        with open(os.path.join(self._root, name), "rb") as file:
            return file.read()


def _names(root, wants_links=False):
    """The files below a folder, or the links; what builds and tests leave there apart."""
    found = []
    for place, folders, names in os.walk(root):
        links = [name for name in folders + names if os.path.islink(os.path.join(place, name))]
        if wants_links:
            found += [os.path.relpath(os.path.join(place, name), root) for name in links]
        else:
            found += [os.path.relpath(os.path.join(place, name), root) for name in names if name not in links]
        folders[:] = [name for name in folders if name not in (".build", ".git", "__pycache__", "data")]
    # A work tree's link to its repository.
    return [name for name in found if name != ".git"]


def _links(root):
    return _names(root, wants_links=True)


def _write_all(folder, files):
    """Makes a folder hold these files. What is the same already is not touched, so that it is not built again."""
    for name in _names(folder):
        if name not in files:
            os.unlink(os.path.join(folder, name))
    for name, data in files.items():
        path = os.path.join(folder, name)
        if os.path.exists(path):
            with open(path, "rb") as file:
                if file.read() == data:
                    continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)


def _link(target, path):
    if os.path.islink(path) and os.readlink(path) == target:
        return
    if os.path.lexists(path):
        os.unlink(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink(target, path)
