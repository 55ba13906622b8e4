"""Builds one binary that holds every mutant, from a copy of the tree: the product itself has no such hook.

Two variables of the environment tell a process of it what it is: MUTANT_STEP, the name of the mutant whose changed
steps it takes, and MUTANT_SCRIPTS, a folder whose scripts it loads in place of those that were built in. Neither is
set for a process that is to work as it should. Each mutant gets a program of its own that sets them.
"""

import os
import shutil
import subprocess

from harness.node import REPOSITORY
from mutants.catalogue import MUTANTS
from mutants.mutant import Edit

FOLDER = os.path.join(REPOSITORY, ".build", "mutants")
SOURCE = os.path.join(FOLDER, "source")
BUILD_DEADLINE_S = 1200

STEP_HOOK = """import Glibc

/// Which mutant this process is, by its environment.
public enum Mutant {
    public static let name = getenv("MUTANT_STEP").map { String(cString: $0) } ?? ""

    /// For a supervisor, which is given nothing else.
    public static var environment: [String: String] { name.isEmpty ? [:] : ["MUTANT_STEP": name] }

    public static func isOn(_ name: String) -> Bool { name == Self.name }
}
"""
SCRIPT_HOOK = """import Glibc

/// The text of a script in the folder of the mutant that this process is; nil if it is none.
func mutantScript(_ path: String) -> String? {
    guard let folder = getenv("MUTANT_SCRIPTS") else { return nil }
    let name = "\\(String(cString: folder))/\\(path)"
    guard let file = fopen(name, "r") else { fatalError("cannot read \\(name)") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    while case let byte = fgetc(file), byte != EOF { bytes.append(UInt8(byte)) }
    return String(decoding: bytes, as: UTF8.self)
}
"""
HOOK_FILES = {
    "Sources/EventLoop/Mutant.swift": STEP_HOOK,
    "Sources/Scripts/MutantScript.swift": SCRIPT_HOOK,
}
HOOKS = (
    Edit("Sources/Scripts/Scripts.swift", "let text = String(decoding: bytes, as: UTF8.self)",
         'let text = mutantScript("\\(name).lua") ?? String(decoding: bytes, as: UTF8.self)'),
    Edit("Sources/Scripts/Scripts.swift", "expand(String(decoding: include, as: UTF8.self), in: name)",
         'expand(mutantScript("includes/\\(name).lua") ?? String(decoding: include, as: UTF8.self), in: name)'),
    Edit("Sources/Runner/Supervision/SupervisorHandle.swift", "environment: [:],",
         "environment: Mutant.environment,"),
)


def build():
    """Brings everything up to date, and builds what has changed. Takes a second if nothing has."""
    files = {"Package.swift": _read("Package.swift"), **HOOK_FILES}
    for folder in ("Sources", "lua"):
        files |= {name: _read(name) for name in _names(REPOSITORY, folder)}
    for edit in HOOKS:
        files[edit.file] = edit.applied(files[edit.file], "a hook")
    for mutant in MUTANTS.values():
        for edit in mutant.steps:
            files[edit.file] = _importing_hook(edit.applied(files[edit.file], mutant.name))
    _write_all(SOURCE, files)
    # The package names them, though none of them is built.
    _link("../../lua", os.path.join(SOURCE, "Sources", "Scripts", "lua"))
    _link(os.path.join(REPOSITORY, "Tests"), os.path.join(SOURCE, "Tests"))
    for mutant in MUTANTS.values():
        _write_scripts(mutant)
        _write_program(mutant)
    _compile()


def program(name=None):
    """The program that is this mutant, or the one that is none."""
    return os.path.join(FOLDER, "programs", name) if name else os.path.join(FOLDER, "scratch", "debug", "usher")


def scripts_folder(name):
    return os.path.join(FOLDER, "scripts", name)


def _compile():
    done = subprocess.run(
        ["nice", "-n", "19", "swift", "build", "--product", "usher", "--package-path", SOURCE, "--scratch-path",
         os.path.join(FOLDER, "scratch")], capture_output=True, text=True, timeout=BUILD_DEADLINE_S)
    if done.returncode != 0:
        raise RuntimeError(f"the mutants do not build:\n{done.stdout[-8000:]}{done.stderr[-2000:]}")


def _write_scripts(mutant):
    folder = scripts_folder(mutant.name)
    if mutant.scripts:
        texts = {name: _read(name) for name in _names(REPOSITORY, "lua")}
        for edit in mutant.scripts:
            texts[edit.file] = edit.applied(texts[edit.file], mutant.name)
        _write_all(folder, {name.removeprefix("lua/"): text for name, text in texts.items()})
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _write_program(mutant):
    lines = ["#!/bin/sh"]
    if mutant.steps:
        lines.append(f"export MUTANT_STEP='{mutant.name}'")
    if mutant.scripts:
        lines.append(f"export MUTANT_SCRIPTS='{scripts_folder(mutant.name)}'")
    lines.append(f"exec '{program()}' \"$@\"\n")
    path = program(mutant.name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write("\n".join(lines))
    os.chmod(path, 0o755)


def _importing_hook(text):
    return text if "import EventLoop\n" in text else "import EventLoop\n" + text


def _read(name):
    with open(os.path.join(REPOSITORY, name)) as file:
        return file.read()


def _names(root, folder):
    """The files below a folder of the tree, links apart."""
    found = []
    for place, _, names in os.walk(os.path.join(root, folder)):
        found += [os.path.relpath(os.path.join(place, name), root) for name in names]
    return found


def _write_all(folder, files):
    """Makes a folder hold these files. What is the same already is not touched, so that it is not built again."""
    for name in _names(folder, "."):
        if os.path.normpath(name) not in files:
            os.unlink(os.path.join(folder, name))
    for name, text in files.items():
        path = os.path.join(folder, name)
        if os.path.exists(path):
            with open(path) as file:
                if file.read() == text:
                    continue
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)


def _link(target, path):
    if not os.path.islink(path):
        os.symlink(target, path)


if __name__ == "__main__":
    build()
