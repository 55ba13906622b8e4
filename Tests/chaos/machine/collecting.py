"""What a run left behind, read from outside: the bots' own files, the event streams, and both APIs."""

import datetime
import json
import os

from checkers.clock import milliseconds
from harness.keys import WorkspaceKeys
from harness.waiting import wait_for
from history import Acknowledged, Event, FinalMeeting, Stay

PAGE = 100
# What may happen to a plan, which its calendar may let go.
OF_PLANS = ("created", "scheduled", "not_sent", "missed")
HOUR_MS = 3_600_000
# How far Redis' clock and that of the tests may be apart where no fault has set it.
APART_MS = 60_000


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


def told_right(time_ms, begun_ms):
    """What a clock that may have been set back by whole hours since the run began would have said without."""
    hours = max(0, -(-(begun_ms - APART_MS - time_ms) // HOUR_MS))
    return time_ms + hours * HOUR_MS


def events(redis, meetings, begun_ms):
    """All entries of the event streams of these meetings' partitions, of a run that began then."""
    found, known = [], {meeting.reinvite["meeting_id"]: meeting for meeting in meetings}
    for stream in sorted({WorkspaceKeys(meeting.workspace_id).events for meeting in meetings}):
        for entry, fields in redis.stream(stream):
            meeting = known.get(fields["meeting_id"])
            if meeting is None and (
                    fields["what"] in OF_PLANS or _is_of_another(redis, fields["meeting_id"], meetings)):
                continue
            at_ms, entry_ms = told_right(int(fields["at"]), begun_ms), int(entry.partition("-")[0])
            # Ids never go back, whatever the clock does.
            time_ms = entry_ms if at_ms == int(fields["at"]) else at_ms
            found.append(Event(
                f"{stream} {entry}", time_ms, fields["what"], fields["meeting_id"], fields["bot_id"], fields["from"],
                fields["to"], fields["why"], at_ms, meeting.workspace_id, meeting.room, fields["trace_id"]))
    return found


def _is_of_another(redis, meeting_id, meetings):
    """Whether a meeting is of a workspace that a fault has made: its partition may be that of others."""
    workspace_id = redis.call("GET", f"usher:meeting:{meeting_id}")
    return workspace_id is not None and workspace_id not in {meeting.workspace_id for meeting in meetings}


def tell_right(operations, begun_ms):
    """Has what was answered of Redis' clock be told as that of the tests tells it."""
    for operation in operations:
        if operation.kind == "reinvite" and operation.outcome == "ok":
            right = told_right(milliseconds(operation.answer["dispatched_at"]), begun_ms)
            moment = datetime.datetime.fromtimestamp(right / 1000, datetime.timezone.utc)
            operation.answer["dispatched_at"] = moment.isoformat(timespec="milliseconds").removesuffix("+00:00")


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
    """(room, line) of every file with this ending. Each line is one write: a bot that is killed leaves whole ones, but
    the last of one that is just writing may be there in part."""
    for name in sorted(os.listdir(folder)):
        if name.endswith(ending):
            with open(os.path.join(folder, name)) as file:
                for line in file:
                    if not line.endswith("\n"):
                        break
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
