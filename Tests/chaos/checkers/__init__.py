"""What must be true of every history. Each checker is a function from a History to a list of Violations."""

from checkers import answers, calendars, convergence, deaths, fates, leaks, limits, planned, presence, stops, \
    transcripts, views, webhooks
from machine import versions

CHECKERS = {
    "presence": presence.check, "fates": fates.check, "answers": answers.check, "convergence": convergence.check,
    "limits": limits.check, "stops": stops.check, "transcripts": transcripts.check, "leaks": leaks.check,
    "deaths": deaths.check, "webhooks": webhooks.check,
    "planned": planned.check, "calendars": calendars.check, "views": views.check,
}


def check_all(history):
    """The violations that all checkers find, in their order: of a mixed cluster, those of what the version beside does."""
    left_out = versions.NOT_YET.get(history.settings.get("beside"), ())
    return [violation for name, check in CHECKERS.items() if name not in left_out for violation in check(history)]
