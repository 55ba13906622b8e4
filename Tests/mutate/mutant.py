"""What a mutant is: a small change to a Swift source that some test must notice."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Mutant:
    # What it breaks, in words; different from all others of its file.
    name: str
    # Below Sources/.
    file: str
    # What it replaces, which occurs in the file exactly once; of a text with « and » in it, what stands between them.
    old: str
    new: str
    # What must notice it: names of suites or tests in Swift (regular expressions, as `swift test --filter` takes them),
    # or files of Tests/system with what else pytest is to be told: "test_up.py -k port".
    tests: tuple[str, ...]
    # Whether `old` and `new` are statements; expressions if not.
    is_statement: bool = False
    # Why no test can notice it, if none can: then it is not run.
    equivalent: str = ""

    @property
    def module(self):
        return self.file.split("/")[0]

    @property
    def title(self):
        return f"{self.file}: {self.name}"

    @property
    def original(self):
        """The text that is replaced."""
        return self.old.partition("«")[2].partition("»")[0] if "«" in self.old else self.old

    def place(self, text):
        """(start, end) of what is replaced in the text of the file."""
        before = self.old.partition("«")[0] if "«" in self.old else ""
        whole = self.old.replace("«", "").replace("»", "")
        count = text.count(whole)
        if count != 1:
            raise ValueError(f"{self.title}: what it replaces occurs {count} times in the file, not once:\n{whole}")
        start = text.index(whole) + len(before)
        return start, start + len(self.original)
