"""The colours of speakers: whoever sees few colours tells them apart too, and all of them can be read."""

import itertools
import os
import re

import pytest

from harness.node import REPOSITORY

# How those see who lack one kind of cones, in linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
EYES = {
    "all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "without red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "without green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "without blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
# Of two colours that are seen as two at a glance, in CIE L*a*b*; 2 can just be told.
LEAST_DISTANCE = 20
# Of texts (WCAG 2.2, 1.4.3).
LEAST_CONTRAST = 4.5
# What lines of a transcript stand on.
PAGES = ("raised", "way-page", "good-page")


def themes():
    with open(os.path.join(REPOSITORY, "Sources", "Console", "Page", "style.css")) as file:
        parts = file.read().split("@media (prefers-color-scheme: dark)")
    light, dark = (dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]+);", part)) for part in parts)
    return {"light": light, "dark": {**light, **dark}}


def linear(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    values = [int(digits[place:place + 2], 16) / 255 for place in (0, 2, 4)]
    return [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]


def seen(colour, eyes):
    """In CIE L*a*b*, by the white of D65."""
    red, green, blue = (min(1, max(0, sum(part * value for part, value in zip(row, linear(colour))))) for row in eyes)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    x, y, z = (value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116 for value in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def luminance(colour):
    return sum(part * value for part, value in zip((0.2126, 0.7152, 0.0722), linear(colour)))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("eyes", EYES)
def test_speakers_are_told_apart(theme, eyes):
    colours = themes()[theme]
    places = {name: seen(colours[name], EYES[eyes]) for name in (f"s{number}" for number in range(8))}
    near = {(one, other): round(sum((a - b) ** 2 for a, b in zip(places[one], places[other])) ** 0.5, 1)
            for one, other in itertools.combinations(places, 2)}
    assert {pair: distance for pair, distance in near.items() if distance < LEAST_DISTANCE} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_their_names_can_be_read(theme):
    colours = themes()[theme]
    for name, page in itertools.product((f"s{number}" for number in range(8)), PAGES):
        low, high = sorted(luminance(colours[one]) + 0.05 for one in (name, page))
        assert high / low >= LEAST_CONTRAST, (name, page)
