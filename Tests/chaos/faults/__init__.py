"""The faults: each a named value with what it needs, how it is injected and how it is healed."""

from faults import borders, bots, clock, exchanges, failovers, instants, links, redis, replica, servers

_CLASSES = (
    servers.NodeKill, servers.NodePause, servers.NodeTerminate, servers.RollingRestart,
    servers.RunnerKill, servers.RunnerPause, servers.RunnerTerminate,
    servers.NodeLogStalled, servers.RunnerLogStalled,
    bots.SupervisorKill, bots.SupervisorPause, bots.BotKill, bots.BotPause,
    bots.BotAndSupervisorKill, bots.BotAndSupervisorPause, bots.RunnerAndBotsPause, bots.RunnerTreeKill,
    instants.NodeKillAfterLock, instants.NodePauseAfterLock, instants.NodeKillAfterRequest,
    instants.NodeKillAtLastReport, instants.NodePauseAtLastReport,
    instants.RunnerKillAfterClaim, instants.RunnerPauseBeforeStart,
    instants.RunnerKillAtBotEnd, instants.RunnerPauseAtBotEnd,
    redis.RedisKill, redis.RedisPause, redis.RedisScriptFlush, redis.RedisClientKillNormal,
    redis.RedisClientKillPubSub, redis.RedisClientPause, redis.RedisFullMemory, redis.RedisFilled,
    redis.StreamPoison, replica.RedisReadOnly,
    links.RedisLinkCut, links.RedisLinkHalfOpen, links.RedisLinkHalfOpenTo, links.RedisLinkHalfOpenFrom,
    links.RedisLinkDelay, links.RedisLinkTrickle,
    borders.CutAfterExecution, borders.CutBeforeExecution, borders.CutWithinPipeline,
    borders.Hold, borders.HoldAnswer, borders.HoldWithinPipeline,
    links.ApiLinkCut, links.ApiLinkHalfOpen, links.ApiLinkHalfOpenTo, links.ApiLinkHalfOpenFrom,
    links.ApiLinkDelay, links.ApiLinkTrickle, exchanges.AnswerLost, exchanges.RequestLost,
    failovers.FailoverAsked, failovers.PrimaryKilled, failovers.PrimaryPaused, failovers.ReplicaKilled,
    failovers.SplitBrain, failovers.SlotMoved, failovers.SentinelsDown,
    clock.NodeWrongClock, clock.RunnerWrongClock, clock.NodeClockJump, clock.RunnerClockJump, clock.RedisClockBack,
)

FAULTS = {fault.name: fault for fault in _CLASSES}
