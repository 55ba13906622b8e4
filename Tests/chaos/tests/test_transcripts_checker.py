"""The checker of transcripts on histories written by hand."""

import pytest

from checkers import transcripts
from hand_written import MS, ROOM, Written, sentences
from history import Acknowledged


@pytest.fixture
def written():
    return Written()


def acknowledged(written, segment_id, text, at_ms, room=ROOM):
    written.history.acknowledged.append(Acknowledged(room, "a", 1, segment_id, text, at_ms * MS))


def found(written):
    return transcripts.check(written.history)


# Good.

def test_readable(written):
    acknowledged(written, "a:1", "Good morning.", 1000)
    written.final("OFFLINE/completed", segments={"a:1": "Good morning.", "a:2": "And a draft"})
    assert found(written) == []


def test_in_an_older_meeting_of_the_room(written):
    acknowledged(written, "a:1", "Good morning.", 1000)
    written.final("OFFLINE/completed", segments={"a:1": "Good morning."}, meeting_id="older")
    written.final("OFFLINE/completed", segments={})
    assert found(written) == []


def test_the_latest_text_counts(written):
    acknowledged(written, "a:1", "Good evening.", 2000)
    acknowledged(written, "a:1", "Good morning.", 1000)
    written.final("OFFLINE/completed", segments={"a:1": "Good evening."})
    assert found(written) == []


def test_what_came_after_the_look(written):
    acknowledged(written, "a:1", "Good morning.", 100_001)
    written.final("LIVE/active")
    assert found(written) == []


# Bad.

def test_lost(written):
    acknowledged(written, "a:1", "Good morning.", 1000)
    written.final("OFFLINE/completed", segments={"a:2": "Good morning."})
    assert "segment a:1 of bot a is not in any transcript" in sentences(found(written))


def test_lost_with_its_meeting(written):
    acknowledged(written, "a:1", "Good morning.", 1000)
    assert len(found(written)) == 1


def test_another_text(written):
    acknowledged(written, "a:1", "Good morning.", 1000)
    written.final("OFFLINE/completed", segments={"a:1": "Good"})
    assert "reads 'Good', but was 'Good morning.'" in sentences(found(written))


def test_in_another_room(written):
    acknowledged(written, "a:1", "Good morning.", 1000, room="google_meet:xyz-defg-hij")
    written.final("OFFLINE/completed", segments={"a:1": "Good morning."})
    assert len(found(written)) == 1


def test_gone_back_to_an_earlier_text(written):
    acknowledged(written, "a:1", "Good morning.", 1000)
    acknowledged(written, "a:1", "Good evening.", 2000)
    written.final("OFFLINE/completed", segments={"a:1": "Good morning."})
    assert len(found(written)) == 1
