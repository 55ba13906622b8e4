"""Who is in the lab's rooms, as the checkers are told of it: two at once are found, whatever bots say of themselves."""

import dataclasses

import pytest

from checkers import presence
from harness.lab import Lab
from harness.runner import Presence
from harness.waiting import wait_for
from hand_written import Written
from history import now_ns
from machine import collecting
from machine.lab_rooms import COMPANY, NOTICE_NS, RoomWatch


@pytest.fixture
def lab(tmp_path):
    started = Lab(str(tmp_path)).start()
    yield started
    started.end()


def stays(watch, told):
    watch.look()
    return collecting.stays(told.folder)


def test_two_in_a_room_are_found(lab, tmp_path):
    room = lab.room("lab-abcd-efg")
    told = Presence(str(tmp_path / "presence"))
    watch = RoomWatch([room], told)
    room.add_ghost(COMPANY)
    begun_ns = now_ns()
    first = room.add_ghost("bot-1")
    assert [stay.bot_id for stay in stays(watch, told)] == ["bot-1"]
    room.add_ghost("bot-2")
    # What is told of is a while ago.
    wait_for(lambda: len(stays(watch, told)) == 2 and now_ns() > begun_ns + 3 * NOTICE_NS, "their stay", interval_s=0.1)
    room.do("leave", first)
    found = stays(watch, told)
    assert [(stay.bot_id, stay.left) for stay in found] == [("bot-1", True), ("bot-2", False)]
    assert begun_ns <= found[0].first_ns <= found[1].first_ns <= found[0].last_ns <= now_ns()
    [violation] = presence.check(dataclasses.replace(Written().history, stays=found))
    assert "bot bot-2 entered while bot bot-1 was there" in str(violation)
