"""What should not be there: keys of Redis, stream entries and processes that are left over, each as a sentence."""

import os

from harness.transcripts import STREAM as SEGMENTS
from machine.settings import KEPT_IN_REDIS

# Sets that must be empty, and streams that must have neither entries nor any that are pending.
SETS = ("leases", "analyzing")
GROUPS = (("dispatch", "runners"),)


def everything(redis, cluster):
    """With no bot running or wanted, none of this may be there."""
    return keys(redis) + objects(redis, cluster) + [f"process {pid} of a bot or its supervisor still runs" for pid in cluster.strays()]


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


def objects(redis, cluster):
    """What the archive has that no record leads to, and that is not to be removed; and what records lead to in vain.
    A failover may lose the record of what was written if nobody waits for replicas."""
    if cluster.archive is None:
        return []
    if cluster.archive == KEPT_IN_REDIS:
        files = {"-".join(key.split(":")[3::2]): True for key in redis.scan("usher:{p?}:meeting:*:object:*")}
    else:
        # Those that were not written to their end are `.<name>.part`.
        files = {name.removeprefix(".").removesuffix(".part").removesuffix(".jsonl.gz"): not name.startswith(".")
                 for _, _, names in os.walk(cluster.archive) for name in names}
    there = {name for name, is_whole in files.items() if is_whole}
    led_to, known = set(), set()
    for key in redis.scan("usher:{p?}:meeting:*"):
        # Not those of its transcript and its feed.
        if key.count(":") == 3:
            fields = redis.hash(key)
            led_to |= {f"{fields.get('id')}-{fields['archived'].split()[0]}"} if fields.get("archived") else set()
            known |= {f"{fields.get('id')}-{fields['moving'].split()[0]}"} if fields.get("moving") else set()
    for key in redis.scan("usher:{p?}:removals"):
        known |= {name.split("/")[-1] for name in redis.call("ZRANGE", key, 0, -1)}
    may_be_lost = cluster.deployment != "standalone" and not cluster.settings["wait_replicas"]
    unknown = () if may_be_lost else set(files) - led_to - known
    return [f"nothing leads to object {name} of the archive" for name in sorted(unknown)] + [
        f"object {name} of the archive is not there" for name in sorted(led_to - there)]


def _stream(redis, key, group):
    found = [f"{key} has entry {entry}: {fields}" for entry, fields in redis.stream(key)]
    if group in [dict(zip(row[::2], row[1::2]))["name"] for row in redis.call("XINFO", "GROUPS", key)]:
        found += [f"{key} has entry {entry} pending with {consumer}" for entry, consumer, *_ in
                  redis.call("XPENDING", key, group, "-", "+", 1000)]
    return found
