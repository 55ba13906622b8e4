"""What a run left behind, read from outside: the bots' own files, the event streams, and both APIs."""

import json
import os

from harness.keys import WorkspaceKeys
from harness.waiting import wait_for
from history import Acknowledged, Event, FinalMeeting, Stay

PAGE = 100


def stays(folder):
    """Every bot process's presence in every room, in the order of entering."""
    found = {}
    for room, words in _lines(folder, ".log"):
        at_ns, bot_id, pid, *ending = words.split()
        stay = found.setdefault(
            (room, bot_id, pid), Stay(room, bot_id, int(pid), int(at_ns), int(at_ns), left=False))
        stay.lines_ns.append(int(at_ns))
        stay.last_ns, stay.left = int(at_ns), ending == ["left"]
    return sorted(found.values(), key=lambda stay: stay.first_ns)


def acknowledged(folder):
    found = []
    for room, words in _lines(folder, ".segments"):
        at_ns, bot_id, number, segment_id, text = words.split(" ", 4)
        found.append(Acknowledged(room, bot_id, int(number), segment_id, text, int(at_ns)))
    return found


def events(redis, meetings):
    """All entries of the event streams of these meetings' partitions."""
    found, known = [], {meeting.reinvite["meeting_id"]: meeting for meeting in meetings}
    for stream in sorted({WorkspaceKeys(meeting.workspace_id).events for meeting in meetings}):
        for entry, fields in redis.stream(stream):
            meeting = known[fields["meeting_id"]]
            found.append(Event(
                f"{stream} {entry}", int(entry.partition("-")[0]), fields["what"], fields["meeting_id"],
                fields["bot_id"], fields["from"], fields["to"], fields["why"], int(fields["at"]),
                meeting.workspace_id, meeting.room, fields["trace_id"]))
    return found


def meetings(places):
    """Every meeting of the workspaces, as both APIs show it."""
    return [_meeting(place.user, place.workspace_id, record)
            for place in {place.workspace_id: place for place in places}.values()
            for record in listed(place)]


def listed(place):
    """All meetings of a place's workspace, as the Re-invite API lists them."""
    found, offset = [], 0
    while True:
        page = _get(place.user, f"{place.meetings_path}?limit={PAGE}&offset={offset}")
        found += page["meetings"]
        if not page["has_more"]:
            return found
        offset += PAGE


def _meeting(user, workspace_id, record):
    room = f"{record['platform']}:{record['native_meeting_id']}"
    shown = _get(user, f"/meetings/{record['number']}", may_lack=True)
    path = f"/transcripts/{record['platform']}/{record['native_meeting_id']}?meeting_id={record['number']}"
    transcript = _get(user, path, may_lack=True) or {"segments": []}
    segments = {segment["segment_id"]: segment["text"] for segment in transcript["segments"]}
    return FinalMeeting(room, workspace_id, record, shown, segments)


def _get(user, path, may_lack=False):
    """A busy machine may be slower than a node's patience with Redis, so an answer of 503 is asked for again. None if
    there is no such thing, which some may lack: that is for the checkers to judge."""
    def answered():
        answer = user.request("GET", path)
        return answer if answer.status != 503 else None
    answer = wait_for(answered, f"an answer to the GET of {path}", interval_s=0.1)
    if may_lack and answer.status == 404:
        return None
    assert answer.status == 200, f"GET {path}: {answer}"
    return answer.json


def _lines(folder, ending):
    """(room, line) of every file with this ending. Each line is one write: a bot that is killed leaves whole ones."""
    for name in sorted(os.listdir(folder)):
        if name.endswith(ending):
            with open(os.path.join(folder, name)) as file:
                for line in file:
                    yield name.removesuffix(ending), line.rstrip("\n")


def log_lines(process):
    """The JSON lines of a process's log, as dictionaries."""
    lines = []
    for line in process.log.splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue  # A bot's or the system's own words, or a line that was cut by a kill.
    return [line for line in lines if isinstance(line, dict) and "message" in line]
