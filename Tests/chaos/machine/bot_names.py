"""The names of simulated bots, which say how they behave (the launcher of the system tests reads them)."""

# How often each is drawn. Retractions are left out, since a retracted segment is not to be read any more.
BEHAVIOURS = {
    "": 60, "no-lobby": 6, "needs-help": 3, "rejected": 3, "never-admitted": 2, "join-failure": 2, "alone": 2,
    "crash-start": 2, "crash-joining": 2, "crash-lobby": 2, "crash-active": 3, "hang-start": 1, "hang-joining": 1,
    "hang-active": 2, "ignore-leave": 3, "ignore-term": 3, "exit-without-report": 3, "malformed-reports": 2,
    "stale-reports": 3, "forged-reports": 2, "malformed-segments": 2,
}


def draw(random):
    """A bot that joins within a second, and stays until it is stopped or for a few seconds."""
    [behaviour] = random.choices(list(BEHAVIOURS), BEHAVIOURS.values())
    parts = [f"SIMULATE={behaviour}"] if behaviour else []
    parts += [f"SIMULATE_JOIN_MS={random.randint(0, 400)}", f"SIMULATE_LOBBY_MS={random.randint(0, 400)}"]
    if random.random() < 0.6:
        parts.append(f"SIMULATE_MEETING_MS={random.randint(500, 6000)}")
    return " ".join(parts)
