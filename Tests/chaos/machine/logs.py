"""What the processes themselves say of trouble that no fault explains."""

import re

from machine import collecting

# Of these, faults of all kinds are full: time that ran out, connections that broke, a Redis that refuses to write, whose
# replicas do not follow, or that is on its way to another primary; a slot that moves for longer than a command may take.
EXPLAINED = re.compile(
    "not connected to Redis|too many commands wait|connection to Redis was lost|no reply from Redis"
    "|Redis refused the command: (OOM|READONLY|LOADING|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|ASK|MOVED"
    "|UNBLOCKED|ERR WAIT cannot be used with replica)"
    "|the change is on [0-9]+ replicas, fewer than wanted"
    "|A supervisor has ended before its bot|A supervisor has not kept its deadline")
# At whatever level: no fault makes a script fail by its own doing, or an answer be of another type; and a Redis that is
# full has room for leases.
NEVER = re.compile("unexpected reply from Redis|WRONGTYPE|refused the command: ERR .*user_script"
                   "|Leases could not be renewed.*Redis refused the command: OOM")
# What the Swift runtime writes when a process ends itself.
TRAP = "Fatal error"


def troubles(process):
    """Sentences about log lines at level error that no fault explains, each kind once."""
    found = {}
    for line in collecting.log_lines(process):
        words = " ".join(str(value) for name, value in line.items() if name not in ("time", "level"))
        if NEVER.search(words) or line.get("level") == "error" and not EXPLAINED.search(words):
            found.setdefault(line["message"], f"{process.name} wrote: {words}")
    if TRAP in process.log:
        found[TRAP] = f"{process.name} wrote: {process.log[process.log.index(TRAP):][:300]}"
    return list(found.values())
