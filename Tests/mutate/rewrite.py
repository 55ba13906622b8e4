"""Puts mutants into the text of sources, all of them at once: which one counts is chosen when the program starts."""

# By the environment of the process: none, or one number.
VARIABLE = "MUTANT_NUMBER"

CHOICE_FILE = "MutantChoice.swift"
CHOICE = f"""import Glibc

private let chosen = getenv("{VARIABLE}").flatMap {{ Int(String(cString: $0)) }} ?? 0

/// Whether this process is the mutant of this number.
func mutant(_ number: Int) -> Bool {{ number == chosen }}
"""


def rewritten(text, numbered):
    """The text of a file with all its mutants, given as (number, mutant), beside what they replace."""
    places = {}
    for number, mutant in numbered:
        places.setdefault(mutant.place(text), []).append((number, mutant))
    end_before = len(text)
    for (start, end), here in sorted(places.items(), reverse=True):
        if end > end_before:
            raise ValueError(f"{here[0][1].title}: overlaps with another mutant")
        text = text[:start] + _choice(text[start:end], here) + text[end:]
        end_before = start
    return text


def _choice(original, numbered):
    kinds = {mutant.is_statement for _, mutant in numbered}
    if len(kinds) > 1:
        raise ValueError(f"{numbered[0][1].title}: a statement and an expression at the same place")
    if kinds == {True}:
        branches = "".join(f"if mutant({number}) {{\n{mutant.new}\n}} else " for number, mutant in numbered)
        return f"{branches}{{\n{original}\n}}"
    branches = "".join(f"mutant({number}) ? ({mutant.new}) : " for number, mutant in numbered)
    return f"({branches}({original}))"
