"""What documents and sources say of each other is there: links, headings, and the README's length."""

import os
import re

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MOST_LINES_OF_README = 250

# A document, and maybe one of its headings: docs/architecture.md, "Leases".
REFERENCE = re.compile(r'(?<![\w/.])(docs/[\w.-]+\.md)(?:, \\?"([^"\\]+)\\?")?')
LINK = re.compile(r"\]\(([^)\s]+)\)")
# What stood for documents that are not in the repository, and for how the work was divided.
NOWHERE = re.compile(
    r"\bissues? \d|\bwire facts|\bwire, section \d|\bdesign,? (?:section )?\d|\bsection \d+ of the design",
    re.IGNORECASE)

# What is written is there; what is built, or kept by a running service, is not.
SKIPPED = {".build", ".git", "data", "__pycache__", "Corpus"}


def walk():
    for folder, inner, names in os.walk(ROOT):
        inner[:] = [name for name in inner if name not in SKIPPED]
        yield from (os.path.relpath(os.path.join(folder, name), ROOT) for name in names)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def headings(path):
    outside = re.sub(r"(?ms)^```.*?^```", "", read(path))
    return re.findall(r"(?m)^#+ (.+)$", outside)


def anchor(heading):
    """As Markdown's readers make it of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


FILES = sorted(walk())
DOCUMENTS = [path for path in FILES if path.endswith(".md")]
SOURCES = [path for path in FILES
           if os.path.splitext(path)[1] in (".swift", ".lua", ".py", ".c", ".h", ".yaml", ".cfg", ".service", "")
           and path != os.path.relpath(__file__, ROOT)]


def dead_links(path, text):
    dead = []
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, fragment = target.partition("#")
        other = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
        if not os.path.exists(os.path.join(ROOT, other)):
            dead.append(target)
        elif fragment and fragment not in {anchor(heading) for heading in headings(other)}:
            dead.append(target)
    return dead


def dead_references(text):
    # A reference may go over the end of a line of a comment.
    text = re.sub(r"\s*\n\s*(?:///?|--|#)? ?", " ", text)
    dead = [f"{file} {heading}".strip() for file, heading in REFERENCE.findall(text)
            if file not in DOCUMENTS or heading and heading not in headings(file)]
    return dead + NOWHERE.findall(text)


@pytest.mark.parametrize("path", DOCUMENTS)
def test_links_lead_somewhere(path):
    assert not dead_links(path, read(path))


def test_sources_name_what_is_there():
    found = {path: dead_references(read(path)) for path in SOURCES + DOCUMENTS}
    assert {path: dead for path, dead in found.items() if dead} == {}


@pytest.mark.parametrize("target, is_dead", [
    ("../README.md", False), ("api.md", False), ("api.md#asking-again", False), ("#leases", False),
    ("https://example.com/nowhere", False), ("README.md", True), ("../api.md", True), ("api.md#leases", True),
    ("#no-heading", True),
])
def test_a_dead_link_is_found(target, is_dead):
    assert dead_links("docs/architecture.md", f"see [it]({target}).") == ([target] if is_dead else [])


@pytest.mark.parametrize("text, dead", [
    ('see docs/architecture.md, "Leases", and docs/api.md', []),
    ("/// (docs/architecture.md, \"A meeting's\n    /// state\").", []),
    ('-- docs/architecture.md,\n-- "Leases".', []),
    ("see docs/nowhere.md", ["docs/nowhere.md"]),
    ('docs/api.md, "Leases"', ["docs/api.md Leases"]),
    ('// docs/architecture.md, "No\n// heading"', ["docs/architecture.md No heading"]),
    ("as issue 12 says", ["issue 1"]), ("(issues 3 and 4)", ["issues 3"]), ("(wire facts, section 2)", ["wire facts"]),
    ("(wire, section 2)", ["wire, section 2"]), ("Design, section 6", ["Design, section 6"]),
    ("(design 3)", ["design 3"]), ("section 4 of the design", ["section 4 of the design"]),
])
def test_a_dead_reference_is_found(text, dead):
    assert dead_references(text) == dead


def test_the_readme_is_short():
    assert len(read("README.md").splitlines()) <= MOST_LINES_OF_README


TARGET = re.compile(r'\.(target|executableTarget|testTarget)\(\s*name: "(\w+)"(.*?)(?=\n        [./]|\n    \])', re.DOTALL)
IMPORT = re.compile(r"(?m)^(?:@\w+ |public |package )*import (\w+)$")
# Programs that their tests start.
STARTED = {"RunnerTests": {"PatientSupervisor", "UsherCommand"}}


def test_the_binary_has_no_more_of_foundation_than_its_essentials():
    """All of it would make the binary more than twice as large, by the tables of ICU."""
    tools = tuple(os.path.join("Sources", tool, "") for tool in ("Fuzz", "GenerateScripts"))
    sources = [path for path in walk() if path.startswith("Sources" + os.sep) and path.endswith(".swift")]
    assert len(sources) > 300
    found = {module for path in sources if not path.startswith(tools) for module in IMPORT.findall(read(path))
             if module.startswith("Foundation")}
    assert found == {"FoundationEssentials"}


def test_targets_depend_on_what_they_import():
    targets = {name: (kind, rest) for kind, name, rest in TARGET.findall(read("Package.swift"))}
    libraries = set(re.findall(r'systemLibrary\(name: "(\w+)"', read("Package.swift")))
    assert len(targets) > 40
    for name, (kind, rest) in targets.items():
        listed = re.search(r"dependencies: \[(.*?)\]", rest, re.DOTALL)
        named = set(re.findall(r'"(\w+)"', listed.group(1))) if listed else set()
        given = re.search(r'path: "([^"]+)"', rest)
        folder = given.group(1) if given else os.path.join("Tests" if kind == "testTarget" else "Sources", name)
        imported = {module for path in walk() if path.startswith(folder + os.sep) and path.endswith(".swift")
                    for module in IMPORT.findall(read(path))}
        assert named == imported & (targets.keys() | libraries) | STARTED.get(name, set()), name
