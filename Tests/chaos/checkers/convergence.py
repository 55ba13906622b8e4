"""Some seconds after the last fault is healed, all is as it should be.

Within `patience.convergence_ms`, not counting the machine's own steps until its clients have ended, nothing is left over
in Redis and no process is left; every meeting is dispatchable, live or ended; both APIs show it alike, as a pair of the
table in docs/architecture.md, "A meeting's state"; and it is as its last event says.
The two objects of a meeting are read one after the other, so they may show two states that the meeting had meanwhile.
"""

from checkers import failovers, patience
from checkers.table import PAIRS, SETTLED
from checkers.timeline import Timeline
from history import Violation


def check(history):
    return [*_left_over(history), *_meetings(history)]


def _left_over(history):
    for sentence in history.left_over:
        yield Violation("convergence", "left over", sentence)
    if history.quiet_ns is None or history.looked_ns is None:
        yield Violation("convergence", "the run", "it was not looked at after the last fault")
        return
    took = (history.looked_ns - history.quiet_ns) / 1e6 - history.settings.get("own_steps", 0)
    bound = patience.convergence_ms(history.settings)
    if took > bound:
        yield Violation("convergence", "the run", f"it took {took:.0f} ms from the last fault: {bound} ms is the bound")


def _meetings(history):
    timeline = Timeline(history)
    for meeting in history.meetings:
        for sentence in _about(history, meeting, timeline.stories[meeting.workspace_id, meeting.room]):
            yield Violation("convergence", meeting.room, f"meeting {meeting.reinvite['meeting_id']}: {sentence}")


def _about(history, meeting, story):
    looked_ns = history.looked_ns
    meeting_id, pair = meeting.reinvite["meeting_id"], _pair(meeting.reinvite)
    if pair not in PAIRS:
        yield f"the Re-invite API shows {pair}, which is no pair of the table"
    elif pair not in SETTLED:
        yield f"it is {pair}: neither dispatchable nor live nor ended"
    since = story.certainly_before(looked_ns) if looked_ns is not None else len(story.events)
    recent = [state.meetings[meeting_id].pair for state in story.states[since:] if meeting_id in state.meetings]
    if recent and pair not in recent:
        yield f"the Re-invite API shows {pair}, but its events led to {recent[-1]}"
    if meeting.bots is None:
        if not failovers.may_lack_locators(history):
            yield "the Bots API does not show it"
        return
    shown = meeting.bots["status"]
    expected = {status for each in [pair, *recent] for status in _bots_statuses(each)}
    if shown not in expected:
        yield f"the Bots API shows {shown}, the Re-invite API {pair}"


def _pair(meeting):
    return f"{meeting['status']}/{meeting['bot_status'] or ''}"


def _bots_statuses(pair):
    """A meeting that never had a bot is shown as `requested`, the first of the published statuses, or as planned."""
    status = pair.partition("/")[2]
    return [status] if status else ["requested", "scheduled", "idle"]
