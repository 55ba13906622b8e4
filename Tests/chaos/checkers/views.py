"""Who follows a workspace live, from before its first meeting on, and from node to node, has seen in the end what the
transcripts say: nothing else, nothing missing, nothing twice on one connection.

One that was told to look anew at a meeting, or at all (`reset`), and does not, need not have seen all of that. A failover may lose segments after they
were told (see `checkers.failovers`); their bot sends them again, and they are told again.
"""

from checkers import failovers
from history import Violation


def check(history):
    return [Violation("views", f"workspace {viewed.workspace_id}", sentence)
            for viewed in history.viewed for sentence in _about(history, viewed)]


def _about(history, viewed):
    for first_ns, again_ns, sentence in viewed.repeated:
        if not failovers.is_within(history, first_ns, again_ns):
            yield sentence
    may_be_lost = bool(failovers.windows(history))
    said = {meeting.reinvite["number"]: meeting.segments for meeting in history.meetings
            if meeting.workspace_id == viewed.workspace_id}
    for meeting in sorted(set(said) | {number for number, shown in viewed.shown.items() if shown}):
        segments, shown = said.get(meeting, {}), viewed.shown.get(meeting, {})
        for key in sorted(set(segments) | set(shown)):
            if key not in shown:
                if not {meeting, None} & set(viewed.anew):
                    yield f"segment {key} of meeting {meeting} was not shown"
            elif shown[key] != segments.get(key) and not may_be_lost:
                yield f"segment {key} of meeting {meeting} is {segments.get(key)!r}, and was shown as {shown[key]!r}"
