"""What may be lost when a replica takes the place of its primary, and what of it is promised all the same.

Redis answers before its replicas have what it has written. So around a failover what was answered may be gone: nodes
and users have seen states that the history of the new primary does not have, and what one part of them does at the
former primary the others do not see. `windows` says when that may be; and what each promise becomes:

- What waits for replicas is lost at no time: an accepted dispatch, an acknowledged stop; and two bots are never in a
  room at once, nor one that is two processes. With `wait_replicas` 0 what of this is lost within a window is counted
  (`checkers.losses`), and is no violation; but two bots are in a room for no longer than `overlap_ms`.
- Reads and refusals wait for nothing, so in a window they may show what is lost, or is out of date.
- Nobody waits with bots that write their segments into the stream: what they were acknowledged in a window may be lost.

Outside the windows all is promised that is promised on one Redis.
"""

from checkers.patience import MS, RECONNECTION

# Faults by which another server may become the primary, or two of them.
FAULTS = ("failover-asked", "primary-killed", "primary-paused", "split-brain")
# The fault in which a replica answers in the place of a single Redis.
REPLICA = "redis-read-only"
# How long before what was seen the difference may have begun: a replica that is behind, a look that comes late.
BEFORE_NS = 1_000_000_000
# How long after it somebody may still be with the former primary.
AFTER_NS = RECONNECTION * MS
# A supervisor kills its bot, and the file tells so.
ENDING_MS = 500


def windows(history):
    """[(from, to)] in ns, in order; they may overlap."""
    found = [(fault.injected_ns, fault.healed_ns or history.quiet_ns or fault.injected_ns)
             for fault in history.faults if fault.name in FAULTS]
    found += [(failover.replica_ns, failover.primary_ns) for failover in history.failovers]
    return sorted((since - BEFORE_NS, until + AFTER_NS) for since, until in found)


def is_within(history, from_ns, to_ns=None):
    """Whether some of this time is in a window."""
    to_ns = from_ns if to_ns is None else to_ns
    return any(since <= to_ns and from_ns <= until for since, until in windows(history))


def is_out_of_date(history, operation):
    """Whether what answered a request may have been behind, or is lost: it was under way in a window, or while a
    replica answered."""
    end = operation.answered_ns or operation.sent_ns
    return is_within(history, operation.sent_ns, end) or any(
        fault.name == REPLICA and fault.injected_ns - BEFORE_NS <= end
        and (fault.healed_ns is None or fault.healed_ns + BEFORE_NS >= operation.sent_ns) for fault in history.faults)


def may_be_lost(history, from_ns, to_ns=None):
    """Whether what was acknowledged at this time may be lost though it would wait for replicas if it were to."""
    return not history.settings.get("wait_replicas") and is_within(history, from_ns, to_ns)


def may_lack_locators(history):
    """Whether a meeting may be there that nothing leads to by its id or number: in a Cluster that lies on another
    primary than the meeting, and so is lost by itself."""
    settings = history.settings
    return settings.get("deployment") == "cluster" and not settings["wait_replicas"] and bool(history.failovers)


def overlap_ms(history):
    """For how long two bots may be in a room whose claim, or renewals, a failover has lost: until the former one's
    runner asks the new primary, by the next renewal at the latest, and hears that it knows nothing of that bot."""
    settings = history.settings
    return settings["lease_ttl"] // 3 + settings["redis_timeout"] + ENDING_MS
