"""How mutants get into the text of a source."""

import pytest

from mutant import Mutant
from rewrite import rewritten

TEXT = "let a = b + c\nlet d = b + e\nrun(d)\n"


def mutant(old, new, **more):
    return Mutant("a name", "Module/File.swift", old, new, ("Tests",), **more)


def test_expressions_and_statements_stand_beside_what_they_replace():
    text = rewritten(TEXT, [(1, mutant("b + c", "b - c")), (2, mutant("run(d)", "", is_statement=True))])
    assert text == "let a = (mutant(1) ? (b - c) : (b + c))\nlet d = b + e\nif mutant(2) {\n\n} else {\nrun(d)\n}\n"


def test_what_stands_around_a_place_tells_it_from_others():
    text = rewritten(TEXT, [(7, mutant("let d = «b» +", "0"))])
    assert text == TEXT.replace("d = b", "d = (mutant(7) ? (0) : (b))")


def test_one_place_may_have_several():
    text = rewritten(TEXT, [(1, mutant("b + c", "b")), (2, mutant("b + c", "c"))])
    assert "let a = (mutant(1) ? (b) : mutant(2) ? (c) : (b + c))\n" in text


@pytest.mark.parametrize(("mutants", "said"), [
    ([mutant("b +", "b -")], "occurs 2 times"),
    ([mutant("x + y", "x")], "occurs 0 times"),
    ([mutant("b + c", "b"), mutant("a = «b»", "c")], "overlaps"),
    ([mutant("b + c", "b"), mutant("b + c", "", is_statement=True)], "a statement and an expression"),
])
def test_what_cannot_be_told_is_an_error(mutants, said):
    with pytest.raises(ValueError, match=said):
        rewritten(TEXT, list(enumerate(mutants)))
