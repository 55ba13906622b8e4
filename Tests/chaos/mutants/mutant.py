"""What a mutant is."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Edit:
    """One place of the source. `old` must occur in it exactly once.

    In Swift the word MUTANT in `new` stands for the question whether this mutant is the one that runs, so that one
    binary holds all of them. A script is changed for good, in a folder of the mutant's own.
    """
    file: str
    old: str
    new: str

    @property
    def is_script(self):
        return self.file.endswith(".lua")

    def applied(self, text, name):
        """The text of the file with this edit made."""
        count = text.count(self.old)
        if count != 1:
            raise ValueError(f"{name}: what it replaces occurs {count} times in {self.file}, not once:\n{self.old}")
        return text.replace(self.old, self.new.replace("MUTANT", f'Mutant.isOn("{name}")'))


# The kernel does not step in when a supervisor has not ended its bot in time: the guard behind the supervisor's own.
NO_KERNEL_DEADLINE = Edit(
    "Sources/Runner/Supervision/KernelDeadline.swift", "        timer_settime(timer,",
    "        guard !MUTANT else { return }\n        timer_settime(timer,")


@dataclasses.dataclass(frozen=True)
class Mutant:
    """A deliberately broken variant of scripts, steps or both.

    More than one edit is made where there are two guards for one promise, and taking away either alone breaks
    nothing.
    """
    name: str
    # What it breaks, in a sentence.
    breaks: str
    # The checker that must report it.
    checker: str
    # The name of the function in `scenarios` that provokes it, and that must be without a violation without it.
    scenario: str
    edits: tuple[Edit, ...]
    # Whether something that the scenario waits for never happens with it, so that nobody waits for that at length.
    is_in_vain: bool = False

    @property
    def scripts(self):
        return [edit for edit in self.edits if edit.is_script]

    @property
    def steps(self):
        return [edit for edit in self.edits if not edit.is_script]
