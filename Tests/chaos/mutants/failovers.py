"""Mutants of what holds a promise through a failover, and what provokes them: behind Sentinels."""

from harness.deployments import SERVICE
from harness.keys import WorkspaceKeys
from harness.waiting import wait_for
from history import now_ns
from machine import clients
from machine.deployments import ask
from mutants.mutant import Edit, Mutant
from mutants.scenarios import scenario

# Of leases that outlive a failover, in ms.
LEASE_TTL = 40_000
# How much older a lease of the heir's is than the primary's, in ms: more than Sentinels need for a failover.
BEHIND = 20_000
# For how long two bots may be seen together after all: longer than a former one may stay.
TOGETHER_S = 25.0

FAILOVERS = (
    Mutant(
        "switch-unheard",
        "A client stays with the first primary that it was told of, whatever Sentinels and that server say.",
        "convergence", "failover_asked",
        (Edit("Sources/Redis/Sentinel/PrimaryFinder.swift", "guard let self, let found, found != address else",
              "guard !MUTANT, let self, let found, found != address else"),
         Edit("Sources/Redis/Sentinel/PrimaryFinder.swift",
              "            case .success(let address):\n                found = address\n",
              "            case .success(let newest):\n"
              "                let address = MUTANT ? found ?? newest : newest\n                found = address\n"),
         Edit("Sources/Redis/Connection/Login.swift", 'first?.string, role != "master" {',
              'first?.string, role != "master", !MUTANT {'))),
    Mutant(
        "replicas-not-waited-for",
        "A change counts as made though too few replicas have confirmed it.",
        "fates", "dispatch_that_no_replica_has",
        (Edit("Sources/Redis/Connection/ReplyQueue.swift", "if reached < replicas {",
              "if reached < replicas && !MUTANT {"),)),
    Mutant(
        "unknown-bot-goes-on",
        "A runner whose renewal is refused, since the new primary knows nothing of the bot, lets it live on.",
        "presence", "claim_that_no_replica_has",
        (Edit("Sources/Runner/Leases/LeaseKeeper.swift", "            case .refused: actions.append(.kill(bot: bot))\n",
              "            case .refused where MUTANT:\n"
              "                let deadline = timing.deadline(renewedAt: renewal.sentAt)\n"
              "                leases[bot]?.deadline = deadline\n"
              "                leases[bot]?.isConfirmed = false\n"
              "                leases[bot]?.renewalTime = renewal.sentAt.advanced(byMilliseconds: timing.interval)\n"
              "                actions.append(.extend(bot: bot, deadline))\n"
              "            case .refused: actions.append(.kill(bot: bot))\n"),)),
    Mutant(
        "lease-runs-out-on-new-primary",
        "A lease runs out by the time that the new primary knows of, though the former one may have renewed it. Found "
        "with seeds 1810 and 1826, by the presence of bots whose record had ended.",
        "presence", "renewals_that_the_heir_lacks",
        (Edit("lua/lose_bot.lua",
              "  if primary_since(primary_key, at_ms, longest_ms) + longest_ms > at_ms then return {'leased'} end\n", ""),)),
)


@scenario(deployment="sentinel")
def failover_asked(stage):
    """A bot is in its room, and a replica takes the place of the primary, which becomes a replica."""
    place = stage.rooms()[0]
    sent = stage.send_bot(place)
    stage.join(place, sent.meeting_id)
    redis = stage.cluster.redis
    primary = redis.agreed()
    failover = stage.fault("failover-asked", primary)
    wait_for(lambda: ask(redis.sentinels[0], "SENTINEL", "FAILOVER", SERVICE) == "OK", "the asking", interval_s=0.5)
    _replaced(stage, primary)
    redis.make_whole()
    failover.healed_ns = now_ns()


@scenario(deployment="sentinel", wait_replicas=2)
def dispatch_that_no_replica_has(stage):
    """A bot is asked for while the primary's replicas are cut off from it; then it is killed."""
    place = stage.rooms()[0]
    meeting_id = stage.plan_meeting(place)
    primary = _cut_off_replicas(stage)
    stage.send(clients.reinvite(place, meeting_id, None))
    _kill(stage, primary)


@scenario(deployment="sentinel", lease_ttl=LEASE_TTL)
def claim_that_no_replica_has(stage):
    """The same with nothing that waits for replicas, once the bot is in its room; the room is free, by the new primary,
    and is asked for at once. The lease outlives the failover."""
    place = stage.rooms()[0]
    primary = _cut_off_replicas(stage)
    # Once it has told so: a bot whose report nobody knows leaves by itself.
    first = stage.join(place, stage.send_bot(place).meeting_id)
    _kill(stage, primary)
    stage.comes(lambda: stage.send_bot(place, node=1).outcome == "ok", interval_s=0.1)
    stage.enter(place, 2)
    stage.comes(lambda: first.pid not in [bot.pid for bot in stage.cluster.bots()], TOGETHER_S)


@scenario(deployment="sentinel", wait_replicas=2, lease_ttl=LEASE_TTL)
def renewals_that_the_heir_lacks(stage):
    """A replica is cut off from its primary and misses renewals of a lease, which the other one has, and takes its place.
    The bot's runner stands still, so that nobody hears of that; its supervisor goes by the last renewal."""
    place = stage.rooms()[0]
    sent = stage.send_bot(place)
    bot = stage.bot(stage.join(place, sent.meeting_id).bot_id)
    redis = stage.cluster.redis
    primary = redis.agreed()
    heir, other = [server for server in redis.data if server is not primary]
    _set(other, "replica-priority", "0")
    stage.fault("split-brain", primary)
    stage.cluster.network.cut(primary, [heir])
    leases = f"{WorkspaceKeys(place.workspace_id).partition}:leases"
    def is_behind():
        expiries = [float(ask(server, "ZSCORE", leases, bot.bot_id) or 0) for server in (primary, heir)]
        return all(expiries) and expiries[0] - expiries[1] >= BEHIND
    wait_for(is_behind, "renewals that the heir lacks", interval_s=0.05)
    pause = stage.fault("runner-pause", bot.runner)
    bot.runner.pause()
    _kill(stage, primary)
    stage.comes(lambda: bot.pid not in [each.pid for each in stage.cluster.bots()], 2 * TOGETHER_S)
    bot.runner.resume()
    pause.healed_ns = now_ns()


def _cut_off_replicas(stage):
    """The primary, which the replicas hear nothing of any more, while Sentinels do, and which takes changes all the
    same."""
    redis = stage.cluster.redis
    primary = redis.agreed()
    _set(primary, "min-replicas-to-write", "0")
    stage.fault("split-brain", primary)
    stage.cluster.network.cut(primary, [server for server in redis.data if server is not primary])
    return primary


def _set(server, name, value):
    wait_for(lambda: ask(server, "CONFIG", "SET", name, value) == "OK", f"the setting of {name}", interval_s=0.1)


def _kill(stage, primary):
    """Until all is mended at the end."""
    stage.fault("primary-killed", primary)
    primary.kill()
    _replaced(stage, primary)


def _replaced(stage, primary):
    wait_for(lambda: stage.cluster.redis.agreed() not in (None, primary), "the failover", interval_s=0.1)
