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
NOWHERE = re.compile(r"\bissue \d|wire facts|\b[Dd]esign,? section \d|[Ss]ection \d+ of the design")


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


@pytest.mark.parametrize("path", DOCUMENTS)
def test_links_lead_somewhere(path):
    dead = []
    for target in LINK.findall(read(path)):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, fragment = target.partition("#")
        other = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
        if not os.path.exists(os.path.join(ROOT, other)):
            dead.append(target)
        elif fragment and fragment not in {anchor(heading) for heading in headings(other)}:
            dead.append(target)
    assert not dead


def test_sources_name_what_is_there():
    dead = []
    for path in SOURCES + DOCUMENTS:
        # A reference may go over the end of a line of a comment.
        text = re.sub(r"\s*\n\s*(?:///?|--|#)? ?", " ", read(path))
        for file, heading in REFERENCE.findall(text):
            if file not in DOCUMENTS or heading and heading not in headings(file):
                dead.append(f"{path}: {file} {heading}")
        dead += [f"{path}: {found}" for found in NOWHERE.findall(text)]
    assert not dead


def test_the_readme_is_short():
    assert len(read("README.md").splitlines()) <= MOST_LINES_OF_README
