"""Random events that recur, as feeds, and what others' libraries make of them (icalendar, recurring-ical-events)."""

import random
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from dateutil.rrule import rrulestr

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo", "UTC", None]
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
# Zones as feeds define them: when, by which rule, from which offset and to which one.
DEFINED = {
    "Europe/Berlin": [
        ("DAYLIGHT", "19960331T020000", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "+0100", "+0200"),
        ("STANDARD", "19961027T030000", "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "+0200", "+0100"),
    ],
    "America/New_York": [
        ("DAYLIGHT", "20070311T020000", "FREQ=YEARLY;BYMONTH=3;BYDAY=2SU", "-0500", "-0400"),
        ("STANDARD", "20071104T020000", "FREQ=YEARLY;BYMONTH=11;BYDAY=1SU", "-0400", "-0500"),
    ],
    "Australia/Lord_Howe": [
        ("STANDARD", "20080406T020000", "FREQ=YEARLY;BYMONTH=4;BYDAY=1SU", "+1100", "+1030"),
        ("DAYLIGHT", "20081005T020000", "FREQ=YEARLY;BYMONTH=10;BYDAY=1SU", "+1030", "+1100"),
    ],
}
WINDOW = timedelta(days=14)
LINK = "https://meet.google.com/abc-defg-hij"
# The days around which clocks change in one zone or another, and any other day.
TIMES = [
    datetime(2026, 3, 6), datetime(2026, 3, 27), datetime(2026, 4, 3), datetime(2026, 10, 2), datetime(2026, 10, 22),
    datetime(2026, 10, 30), datetime(2026, 2, 26), datetime(2026, 12, 28), datetime(2026, 11, 29, 8, 17),
]


def rule(rng):
    """A rule without its end, as RFC 5545 allows it."""
    frequency = rng.choice(["HOURLY", "DAILY", "DAILY", "WEEKLY", "WEEKLY", "WEEKLY", "MONTHLY", "MONTHLY", "YEARLY"])
    parts = [f"FREQ={frequency}"]
    if rng.random() < 0.5:
        parts.append(f"INTERVAL={rng.choice([1, 2, 3, 4, 5, 7, 13])}")
    monthly = frequency in ("MONTHLY", "YEARLY")
    if frequency == "YEARLY" or rng.random() < 0.15:
        months = rng.sample(range(1, 13), rng.randint(1, 12))
        parts.append("BYMONTH=" + ",".join(map(str, sorted(months))))
    by_day = rng.random() < (0.5 if frequency != "HOURLY" else 0.2)
    if by_day:
        days = rng.sample(DAYS, rng.randint(1, 4))
        if monthly and rng.random() < 0.6:
            days = [f"{rng.choice([1, 2, 3, 4, -1, -2])}{day}" for day in days]
        parts.append("BYDAY=" + ",".join(days))
    if frequency != "WEEKLY" and (frequency in ("MONTHLY", "YEARLY") and not by_day or rng.random() < 0.1):
        days = rng.sample([*range(1, 32), -1, -2, -3], rng.randint(1, 6))
        parts.append("BYMONTHDAY=" + ",".join(map(str, days)))
    if frequency != "HOURLY" and rng.random() < 0.15:
        parts.append("BYHOUR=" + ",".join(map(str, sorted(rng.sample(range(24), rng.randint(1, 3))))))
    if rng.random() < 0.1:
        parts.append("BYMINUTE=" + ",".join(map(str, sorted(rng.sample(range(60), rng.randint(1, 2))))))
    if monthly and (by_day or len(parts) > 2) and rng.random() < 0.25:
        parts.append(f"BYSETPOS={rng.choice([1, 2, -1, -2])}")
    if frequency == "WEEKLY" and rng.random() < 0.3:
        parts.append(f"WKST={rng.choice(DAYS)}")
    return ";".join(parts)


def zone(name, observances):
    lines = ["BEGIN:VTIMEZONE", f"TZID:{name}"]
    for kind, start, text, before, after in observances:
        lines += [f"BEGIN:{kind}", f"DTSTART:{start}", f"RRULE:{text}", f"TZOFFSETFROM:{before}"]
        lines += [f"TZOFFSETTO:{after}", f"END:{kind}"]
    return lines + ["END:VTIMEZONE"]


def stamp(time, zone):
    """`:20261201T090000`, with its zone in front."""
    text = f"{time:%Y%m%dT%H%M%S}"
    if zone == "UTC":
        return f":{text}Z"
    return f";TZID={zone}:{text}" if zone else f":{text}"


def event(rng, number, now):
    """The lines of an event, and of those that stand for single ones of its times."""
    zone = rng.choice(ZONES)
    info = ZoneInfo(zone or "UTC")
    begun = now - timedelta(days=rng.choice([0, 1, 3, 20, 100, 400, 1200]), minutes=rng.randrange(0, 1440, 5))
    text = rule(rng)
    # The first time is one of the rule's: what it is otherwise is undefined (RFC 5545, section 3.8.5.3).
    start = rrulestr(text, dtstart=begun).after(begun, inc=True)
    if start is None or start > now + timedelta(days=800):
        return event(rng, number, now)
    times = [time for time in rrulestr(text, dtstart=start).xafter(now - timedelta(days=2), count=12, inc=True)]
    end = rng.random()
    if end < 0.25:
        text += f";COUNT={rng.choice([1, 3, 10, 50, 400])}"
    elif end < 0.5 and times:
        until = rng.choice(times).replace(tzinfo=info).astimezone(timezone.utc)
        text += f";UNTIL={until:%Y%m%dT%H%M%SZ}"
    minutes = rng.choice([15, 30, 60, 90])
    head = ["BEGIN:VEVENT", f"UID:{number}@rules", "DTSTAMP:20260101T000000Z", "SUMMARY:A rule", f"LOCATION:{LINK}"]
    lines = head + [f"DTSTART{stamp(start, zone)}", f"DURATION:PT{minutes}M", f"RRULE:{text}"]
    # The peer takes the local time of an exception for one in UTC too, which hits others where a day has several.
    exceptions = times if "HOUR" not in text else []
    excluded = rng.sample(exceptions, min(len(exceptions), rng.choice([0, 0, 0, 1, 2])))
    for time in excluded:
        lines.append(f"EXDATE{stamp(time, zone)}")
    if rng.random() < 0.1:
        lines.append(f"RDATE{stamp(now + timedelta(days=rng.randint(0, 13), hours=5, minutes=7), zone)}")
    lines.append("END:VEVENT")
    moved = [time for time in exceptions if time not in excluded]
    for time in rng.sample(moved, min(len(moved), rng.choice([0, 0, 0, 1, 2]))):
        to = time + timedelta(minutes=rng.choice([-2880, -60, 45, 1440]))
        lines += head + [f"RECURRENCE-ID{stamp(time, zone)}", f"DTSTART{stamp(to, zone)}", "DURATION:PT20M"]
        lines += ["STATUS:CANCELLED"] * (rng.random() < 0.3) + ["END:VEVENT"]
    return lines


def feed(rng, now, events=20):
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//usher//rules//EN"]
    if rng.random() < 0.5:
        for name, observances in DEFINED.items():
            lines += zone(name, observances)
    for number in range(events):
        lines += event(rng, number, now)
    return "\r\n".join(lines + ["END:VCALENDAR", ""])


def occurrences(text, now):
    """`start uid` of each, in UTC, as recurring-ical-events has them."""
    now = now.replace(tzinfo=timezone.utc)
    found = set()
    query = recurring_ical_events.of(icalendar.Calendar.from_ical(text))
    for item in query.between(now - timedelta(days=2), now + WINDOW + timedelta(days=1)):
        start, end = (utc(item[name].dt) for name in ("DTSTART", "DTEND"))
        if item.get("STATUS") == "CANCELLED" or start >= now + WINDOW or (end <= now and start < now):
            continue
        found.add(f"{start:%Y-%m-%dT%H:%M:%S}.000Z {item['UID']}")
    return found


def utc(time):
    return time.replace(tzinfo=timezone.utc) if time.tzinfo is None else time.astimezone(timezone.utc)
