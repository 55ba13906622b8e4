"""What must be true of every history. Each checker is a function from a History to a list of Violations."""

from checkers import answers, calendars, convergence, deaths, fates, leaks, limits, planned, presence, stops, \
    transcripts, views, webhooks

CHECKERS = {
    "presence": presence.check, "fates": fates.check, "answers": answers.check, "convergence": convergence.check,
    "limits": limits.check, "stops": stops.check, "transcripts": transcripts.check, "leaks": leaks.check,
    "deaths": deaths.check, "webhooks": webhooks.check,
    "planned": planned.check, "calendars": calendars.check, "views": views.check,
}


def check_all(history):
    """The violations that all checkers find, in their order."""
    return [violation for check in CHECKERS.values() for violation in check(history)]
