"""What should not be there: keys of Redis, stream entries and processes that are left over, each as a sentence."""

from harness.transcripts import STREAM as SEGMENTS

# Sets that must be empty, and streams that must have neither entries nor any that are pending.
SETS = ("leases", "analyzing")
GROUPS = (("dispatch", "runners"),)


def everything(redis, cluster):
    """With no bot running or wanted, none of this may be there."""
    return keys(redis) + [f"process {pid} of a bot or its supervisor still runs" for pid in cluster.strays()]


def keys(redis):
    found = []
    for kind in ("lock", "inflight:*", "room:*"):
        found += [f"{key} is there: {redis.call('GET', key)}" for key in redis.scan(f"usher:{{p?}}:ws:*:{kind}")]
    for key in redis.scan("usher:{p?}:ws:*:bots"):
        found += [f"{key} counts bot {bot_id}" for bot_id in redis.call("ZRANGE", key, 0, -1)]
    for kind in SETS:
        for key in redis.scan(f"usher:{{p?}}:{kind}"):
            found += [f"{key} has {member}" for member in redis.call("ZRANGE", key, 0, -1)]
    for kind, group in GROUPS:
        for key in redis.scan(f"usher:{{p?}}:{kind}"):
            found += _stream(redis, key, group)
    if redis.call("EXISTS", SEGMENTS):
        found += _stream(redis, SEGMENTS, "usher")
    for key in redis.scan("usher:{p?}:bot:*"):
        if redis.call("HEXISTS", key, "ended_at") == 0 and redis.call("EXISTS", key):
            found.append(f"{key} has not ended: {redis.hash(key)}")
    return found


def _stream(redis, key, group):
    found = [f"{key} has entry {entry}: {fields}" for entry, fields in redis.stream(key)]
    if group in [dict(zip(row[::2], row[1::2]))["name"] for row in redis.call("XINFO", "GROUPS", key)]:
        found += [f"{key} has entry {entry} pending with {consumer}" for entry, consumer, *_ in
                  redis.call("XPENDING", key, group, "-", "+", 1000)]
    return found
