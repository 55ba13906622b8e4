"""What provokes the mutants: short plays on a cluster, with faults at chosen instants in place of random ones.

Each is played without a mutant too, and then nobody may find a violation. Where a mutant may keep something from
happening, a scenario gives it time and goes on.
"""

import os
import random
import signal

from checkers.leaks import MINIMUM_SAMPLES
from harness.bots_user import BotsUser
from harness.feed_server import utc
from harness.keys import bucket
from harness.played_bot import PlayedBot
from harness.proxy import is_dispatch_script
from harness.waiting import wait_for
from harness.workspace import Admin
from history import now_ns
from machine import clients
from machine.feeds import planned
from machine.places import Place, code

# As names, which say how simulated bots behave.
HASTY = "Usher SIMULATE=no-lobby SIMULATE_JOIN_MS=0"
# Nothing but its runner's signals ends it.
DEAF = "Usher SIMULATE=ignore-leave"
# Nothing but SIGKILL ends it; and it takes longer to join than its runner takes for that.
STUBBORN = "Usher SIMULATE=ignore-leave,ignore-term SIMULATE_JOIN_MS=60000"
HANGING = ("Usher SIMULATE=hang-start", "Usher SIMULATE=hang-joining", "Usher SIMULATE=hang-lobby")
BRIEF = "Usher SIMULATE=no-lobby SIMULATE_JOIN_MS=0 SIMULATE_MEETING_MS=200"

# A runner so patient with Redis that a claim that is held is not sent again on another connection.
PATIENT = {"redis_timeout": 6_000, "request_timeout": 1_000, "in_flight_ttl": 60_000, "lease_ttl": 20_000}
# A node that does not give a request up while its script is held.
PATIENT_NODE = {"lock_ttl": 8_000, "redis_timeout": 4_000, "request_timeout": 4_000}
# One that has the time for a new connection to Redis, before it answers what it was asked over the one that broke.
RECONNECTING_NODE = {"redis_timeout": 10_000, "request_timeout": 20_000, "emptiness": 40_000}

# Of a request that is sent twice.
KEY = "8e03978e40d543ddbc936894a57f9324"

# Otherwise a bit more patient with Redis than the machine is, and far more with bots on their way: nothing here is to fail
# because a processor is busy.
REDIS_TIMEOUT = 1_500
JOIN_TIMEOUT = 30_000
# The lease of a bot that has to live on, unless a fault ends it, between what a scenario sees and what it does then.
UNHURRIED = 4_500

# From the last stop until nothing is left, in ms, where no fault prolongs that: a mutant is not waited for at length.
EMPTINESS = 12_000


def scenario(deployment="standalone", wait_replicas=0, tells_operator=False, **settings):
    """`tells_operator`: whether nodes have an operator's endpoint. `settings`: timeouts in ms that are other than the
    machine's; `emptiness` is what follows from them."""
    def with_settings(play):
        play.deployment, play.wait_replicas, play.tells_operator = deployment, wait_replicas, tells_operator
        play.emptiness = settings.pop("emptiness", EMPTINESS)
        play.settings = {"redis_timeout": REDIS_TIMEOUT, "join_timeout": JOIN_TIMEOUT, **settings}
        return play
    return with_settings


# Without a fault.

@scenario()
def one_stay(stage):
    """A bot joins, hears something and is stopped; then there is another one in the same room."""
    place = stage.rooms()[0]
    sent = stage.send_bot(place)
    if stage.enter(place):
        stage.comes(lambda: len(stage.acknowledged(place)) >= 3)
    stage.stop(place)
    stage.restart_once_ended(place, sent.meeting_id, node=1)


@scenario()
def told_stays(stage):
    """The same, and somebody is told of it all."""
    stage.listen(stage.rooms()[0])
    one_stay(stage)


@scenario(tells_operator=True)
def stays_told_to_the_operator(stage):
    """The same in a workspace that has nobody told of it, and the operator is."""
    one_stay(stage)


@scenario()
def viewed_stays(stage):
    """A bot hears much, and somebody sees what is said, most of it afterwards: often enough away for each part of it."""
    place = stage.rooms()[0]
    stage.view(place)
    stage.send_bot(place)
    if stage.enter(place):
        stage.comes(lambda: stage.cluster.viewer.returns >= 5, 60.0)
    stage.stop(place)


@scenario()
def planned_stay(stage):
    """A bot comes by itself and leaves, and no other one comes."""
    place = stage.rooms()[0]
    found = stage.plan_bot(place, 8.0, BRIEF)
    stage.comes(lambda: stage.record(place, found.meeting_id)["bot_status"] == "completed")
    # For two sweeps of all nodes.
    stage.comes(lambda: len(stage.stays(place)) > 1, 2.0)


@scenario()
def cancelled_event(stage):
    """An event of a calendar is planned, and cancelled long before its time."""
    place = stage.rooms()[0]
    calendar = stage.calendar(place, BRIEF)
    room_code = code(random.Random("event"))
    calendar.add(room_code, utc(45.0))
    stage.comes(lambda: room_code in planned(place.user))
    # For another reading.
    seen = len(stage.cluster.feeds.requests)
    stage.comes(lambda: len(stage.cluster.feeds.requests) > seen + 1)
    calendar.cancel(room_code)
    stage.comes(lambda: stage.stays_in_all(), 45.0)


# A node so patient with Redis that what is held goes there in the end.
@scenario(redis_timeout=10_000, request_timeout=1_000)
def event_cancelled_while_planned(stage):
    """A node is about to plan an event; it is cancelled, and read by another one as the lease of the first is over."""
    place = stage.rooms()[0]
    calendar = stage.calendar(place, BRIEF)
    room_code = code(random.Random("event"))
    hold = stage.hold(stage.nodes, "create_meeting")
    calendar.add(room_code, utc(42.0))
    hold.strikes()
    calendar.cancel(room_code)
    seen = len(stage.cluster.feeds.requests)
    stage.comes(lambda: len(stage.cluster.feeds.requests) > seen and calendar.is_read())
    hold.release()
    stage.comes(lambda: room_code in planned(place.user), 2.0)
    if planned(place.user):
        stage.comes(lambda: stage.stays_in_all(), 42.0)


@scenario(lease_ttl=UNHURRIED)
def quiet_stay(stage):
    """A bot stays for as long as four leases live."""
    place = stage.rooms()[0]
    stage.send_bot(place)
    stage.enter(place)
    until = now_ns() + 4 * 1_000_000 * stage.cluster.settings["lease_ttl"]
    stage.comes(lambda: now_ns() > until or not stage.cluster.bots())


@scenario()
def two_meetings_in_one_room(stage):
    place = stage.rooms()[0]
    first, second = stage.plan_meeting(place), stage.plan_meeting(place)
    stage.reinvite(place, first)
    stage.join(place, first)
    if stage.reinvite(place, second, node=1).outcome == "ok":
        stage.meet(place)


@scenario(lease_ttl=12_000)
def restart_when_ended(stage):
    """A user restarts the meeting whenever its bot has gone, which it should not in all that time."""
    place = stage.rooms()[0]
    sent = stage.send_bot(place, HASTY)
    stage.enter(place)
    def is_crowded():
        if stage.record(place, sent.meeting_id)["bot_status"] in ("completed", "failed"):
            stage.reinvite(place, sent.meeting_id, force_restart=True)
        return stage.meets(place)
    stage.comes(is_crowded, 6.0)


@scenario()
def stop_of_a_deaf_bot(stage):
    """A bot in its room pays no heed to what it is told: its runner must end it."""
    place = stage.rooms()[0]
    stage.join(place, stage.send_bot(place, DEAF).meeting_id)
    _stop_and_wait(stage, place)


@scenario()
def stop_of_a_stubborn_bot(stage):
    """The same of a bot on its way that heeds no SIGTERM either."""
    place = stage.rooms()[0]
    sent = stage.send_bot(place, STUBBORN)
    wait_for(lambda: stage.record(place, sent.meeting_id)["bot_status"] == "joining", "the bot's first report")
    _stop_and_wait(stage, place)
    if stage.cluster.bots():
        stage.enter(place)


def _stop_and_wait(stage, place):
    stage.stop(place)
    stage.comes(lambda: not stage.cluster.bots())


# Eight start at once, and none of them is to be lost on its way.
@scenario(lease_ttl=12_000, in_flight_ttl=60_000)
def many_short_stays(stage):
    """Forty-eight bots come and go. What processes hold is looked at before, and for long enough afterwards."""
    stage.wait_for_samples(MINIMUM_SAMPLES // 3)
    for turn in range(6):
        for place in stage.rooms():
            # One whose last bot's end is not told yet is refused.
            stage.comes(lambda: stage.send_bot(place, BRIEF, node=turn % 3).outcome == "ok", interval_s=0.2)
        if not stage.comes(lambda: not stage.cluster.bots() and stage.stays_in_all() >= 8 * (turn + 1), 60.0):
            return
    stage.wait_for_samples(MINIMUM_SAMPLES - MINIMUM_SAMPLES // 3)


@scenario(join_timeout=1_500)
def bots_that_hang(stage):
    """Bots hang on their way, each at another place."""
    sent = [(place, stage.send_bot(place, name)) for place, name in zip(stage.rooms(), HANGING)]
    # Longer than a dispatch may take to be decided.
    stage.comes(lambda: all(stage.record(place, operation.meeting_id)["bot_status"] == "failed"
                            for place, operation in sent), 20.0, interval_s=0.2)


# It is claimed once, and each of its reports is sent once: none of that is to come too late.
@scenario(in_flight_ttl=60_000, request_timeout=10_000)
def failure_without_a_reason(stage):
    """A bot fails and says no more than that. It is played here, while no runner is there to take it."""
    place = stage.rooms()[0]
    kills = [stage.kill(runner) for runner in stage.runners]
    sent = stage.send_bot(place)
    bot = PlayedBot(stage.cluster.redis.client, place.workspace_id, sent.meeting_id)
    bot.tell(stage.nodes[0], "joining", "failed")
    for runner, kill in zip(stage.runners, kills):
        stage.restart(runner, kill)


# Commands that are held, or lost, on their way to Redis.

def is_of_confirmed(ingestion):
    """Whether a run of ingest_segments has a confirmed segment: of its arguments, only a segment's kind is `c`."""
    return b"c" in ingestion


@scenario()
def request_held_while_restarted(stage):
    """A bot is asked for by both APIs at once: the Bots API's request is overtaken after it has found the room free."""
    place = stage.rooms()[0]
    sent = stage.send_bot(place)
    stage.join(place, sent.meeting_id)
    stage.stop(place)
    wait_for(lambda: stage.record(place, sent.meeting_id)["status"] == "OFFLINE", "the end of the first meeting")
    hold = stage.hold(stage.nodes[:1], "request_bot")
    request = stage.in_background(lambda: stage.send(clients.create_bot(place, "Usher")))
    hold.strikes()
    stage.reinvite(place, sent.meeting_id, force_restart=True, node=1)
    # Once its bot has told so: that report ends what the room has in flight, whoever's that is.
    stage.join(place, sent.meeting_id)
    stage.enter(place, 2)
    hold.release()
    request.join()
    stage.meet(place)


@scenario()
def request_held_at_the_limit(stage):
    """The only bot that a workspace may have is asked for twice at once, for two rooms."""
    first, second = stage.rooms(limit=1)[:2]
    hold = stage.hold(stage.nodes[:1], "request_bot")
    request = stage.in_background(lambda: stage.send(clients.create_bot(first, "Usher")))
    hold.strikes()
    stage.send_bot(second, node=1)
    stage.enter(second)
    hold.release()
    request.join()
    if stage.cluster.bots()[1:]:
        stage.enter(first)


@scenario(**PATIENT)
def claim_held_while_stopped(stage):
    """A runner's claim reaches Redis when its bot was stopped long ago, and the meeting has another one."""
    place = stage.rooms()[0]
    hold = stage.hold(stage.runners, "claim")
    sent = stage.send_bot(place, HASTY)
    hold.strikes()
    stage.stop(place)
    stage.reinvite(place, sent.meeting_id, force_restart=True, node=1)
    # Unless it is in the hands of the runner whose claims wait.
    stage.comes(lambda: stage.stays(place), 3.0)
    hold.release()
    stage.meet(place)


@scenario(**PATIENT)
def stop_before_the_claim(stage):
    """A bot is stopped while a runner has read its dispatch, and has not claimed it."""
    place = stage.rooms()[0]
    hold = stage.hold(stage.runners, "claim")
    stage.send_bot(place)
    hold.strikes()
    stage.stop(place)
    hold.release()


@scenario(**RECONNECTING_NODE)
def dispatch_lost_on_its_way(stage):
    """A node's connection to Redis breaks before the script has arrived there."""
    place = stage.rooms()[0]
    meeting_id = stage.plan_meeting(place)
    _lose(stage, "lose_command")
    if stage.send(clients.reinvite(place, meeting_id, None)).outcome != "ok":
        stage.comes(lambda: stage.reinvite(place, meeting_id, node=1).outcome == "ok", interval_s=0.2)
        stage.enter(place)


@scenario(**RECONNECTING_NODE)
def answer_lost(stage):
    """A node's connection to Redis breaks before the script's answer has arrived."""
    place = stage.rooms()[0]
    meeting_id = stage.plan_meeting(place)
    _lose(stage, "lose_answer")
    stage.send(clients.reinvite(place, meeting_id, None))
    stage.enter(place)


@scenario(**RECONNECTING_NODE, in_flight_ttl=60_000)
def answer_lost_and_asked_again(stage):
    """The same; and when the bot is in the room, its user asks another node with the same idempotency key."""
    place = stage.rooms()[0]
    meeting_id = stage.plan_meeting(place)
    call = clients.reinvite(place, meeting_id, None, KEY)
    _lose(stage, "lose_answer")
    stage.send(call)
    stage.join(place, meeting_id)
    stage.send(call, node=1)


@scenario(redis_timeout=28_000, request_timeout=28_000, in_flight_ttl=60_000, emptiness=75_000)
def asked_again_elsewhere(stage):
    """A node has looked at what it is asked for, and is slow; another one does the same request meanwhile, by its
    idempotency key, and the bot comes and goes."""
    place = stage.rooms()[0]
    sent = stage.send_bot(place, BRIEF)
    def is_over():
        return stage.record(place, sent.meeting_id)["status"] == "OFFLINE"
    stage.enter(place)
    stage.comes(is_over)
    call = clients.reinvite(place, sent.meeting_id, True, KEY)
    hold = stage.hold(stage.nodes[:1], "lock")
    slow = stage.in_background(lambda: stage.send(call))
    hold.strikes()
    stage.send(call, node=1)
    stage.enter(place, 2)
    # The bot may tell its end to the node that is held up: then it takes the time until it asks another one.
    stage.comes(is_over, 24.0)
    hold.release()
    slow.join()


# What one tenant, or a clock, does to all.

@scenario()
def redis_filled(stage):
    """Another tenant fills Redis for as long as three leases live, and only then is the bot stopped."""
    place = stage.rooms()[0]
    stage.join(place, stage.send_bot(place).meeting_id)
    filled = stage.strike("redis-filled")
    until = now_ns() + 3 * 1_000_000 * stage.cluster.settings["lease_ttl"]
    stage.comes(lambda: now_ns() > until or not stage.cluster.bots())
    stage.stop(place)
    stage.comes(lambda: not stage.cluster.bots())
    filled.heal()


@scenario()
def clock_set_back_while_users_ask(stage):
    """Redis' clock is set back while a user's bucket of requests is not full."""
    # Nobody else's, so that all others are answered in the end.
    place = Place(BotsUser(Admin(stage.nodes[0], is_hasty=True)), "abc-defg-hij")
    # The first time it is started again for that.
    stage.strike("redis-clock-back").heal()
    redis = stage.cluster.redis.connect()
    for _ in range(5):
        def is_in_use():
            stage.stop(place)
            stage.strike("redis-clock-back").heal()
            # It would be gone by now if the clock had gone on: it lasts for some milliseconds.
            return redis.call("EXISTS", bucket(place.user.token))
        wait_for(is_in_use, "a bucket that is not full while the clock is set back")
        for node in range(3):
            stage.stop(place, node)


@scenario(lease_ttl=6_000)
def clock_set_back_while_a_runner_is_dead(stage):
    """A runner is killed, and then Redis' clock is set back: the lease of its bot lies an hour ahead."""
    place = stage.rooms()[0]
    sent, runner = _bot_in_its_room(stage, place)
    kill = stage.kill(runner)
    stage.strike("redis-clock-back").heal()
    stage.comes(lambda: stage.record(place, sent.meeting_id)["bot_status"] == "failed")
    stage.restart(runner, kill)


def _lose(stage, what):
    getattr(stage.cluster.proxy_of(stage.nodes[0]), what)(is_dispatch_script)
    record = stage.fault(what, stage.nodes[0])
    record.healed_ns = record.injected_ns


@scenario(**PATIENT_NODE)
def lock_held(stage):
    """A node has taken the lock of a workspace, and is slow; another one is asked for a bot meanwhile."""
    first, second = stage.rooms()[:2]
    meetings = stage.plan_meeting(first), stage.plan_meeting(second)
    hold = stage.hold(stage.nodes[:1], "dispatch")
    slow = stage.in_background(lambda: stage.send(clients.reinvite(first, meetings[0], None)))
    hold.strikes()
    lock = stage.see_lock(first)
    stage.send(clients.reinvite(second, meetings[1], None), node=1)
    lock.to_ns = now_ns()
    hold.release()
    slow.join()


@scenario(**PATIENT_NODE)
def lock_held_while_memory_is_full(stage):
    """The same; before the second one is asked, a third one fails to take the lock, and gives back what it has not."""
    first, second = stage.rooms()[:2]
    meetings = stage.plan_meeting(first), stage.plan_meeting(second)
    hold = stage.hold(stage.nodes[:1], "dispatch")
    slow = stage.in_background(lambda: stage.send(clients.reinvite(first, meetings[0], None)))
    hold.strikes()
    lock = stage.see_lock(first)
    full = stage.fault("redis-full-memory", stage.cluster.redis)
    redis = stage.cluster.redis.client
    redis.call("CONFIG", "SET", "maxmemory", "1")
    stage.send(clients.reinvite(second, meetings[1], None), node=2)
    redis.call("CONFIG", "SET", "maxmemory", "0")
    full.healed_ns = now_ns()
    stage.send(clients.reinvite(second, meetings[1], None), node=1)
    lock.to_ns = now_ns()
    hold.release()
    slow.join()


# Processes that are stopped, cut off or killed.

@scenario(lease_ttl=UNHURRIED)
def runner_paused(stage):
    """A runner stands still for longer than its leases live, and the meeting is restarted."""
    place = stage.rooms()[0]
    sent, runner = _bot_in_its_room(stage, place)
    pause = stage.fault("runner-pause", runner)
    runner.pause()
    _replace(stage, place, sent)
    runner.resume()
    pause.healed_ns = now_ns()


@scenario(lease_ttl=UNHURRIED)
def runner_and_supervisor_paused(stage):
    """A runner and one of its supervisors stand still for longer than leases live, and the bot goes on alone."""
    place = stage.rooms()[0]
    sent = stage.send_bot(place)
    bot = stage.bot(stage.join(place, sent.meeting_id).bot_id)
    pause = stage.fault("runner-pause", bot.runner)
    bot.runner.pause()
    os.kill(bot.supervisor_pid, signal.SIGSTOP)
    _replace(stage, place, sent)
    bot.runner.resume()
    pause.healed_ns = now_ns()


@scenario(lease_ttl=UNHURRIED)
def runner_cut_off(stage):
    """A runner has no connection to Redis for longer than its leases live, and the meeting is restarted."""
    place = stage.rooms()[0]
    sent, runner = _bot_in_its_room(stage, place)
    proxy = stage.cluster.proxy_of(runner)
    cut = stage.fault("redis-cut", runner)
    proxy.cut(refuse=True)
    _replace(stage, place, sent)
    proxy.mend()
    cut.healed_ns = now_ns()


@scenario(lease_ttl=UNHURRIED)
def runner_killed(stage):
    """A runner is killed, and the meeting of its bot is restarted."""
    place = stage.rooms()[0]
    sent, runner = _bot_in_its_room(stage, place)
    kill = stage.kill(runner)
    _replace(stage, place, sent)
    stage.restart(runner, kill)


@scenario()
def runner_killed_before_claim(stage):
    """A runner is killed when it has read a dispatch, and has not claimed it."""
    place = stage.rooms()[0]
    hold = stage.hold(stage.runners, "claim")
    stage.send_bot(place)
    runner = hold.strikes()
    stage.cluster.proxy_of(runner).cut(refuse=True)
    kill = stage.kill(runner)
    stage.enter(place)
    stage.cluster.proxy_of(runner).mend()
    stage.restart(runner, kill)


@scenario()
def no_runner_in_time(stage):
    """No runner is there for as long as a dispatch may be in flight."""
    place = stage.rooms()[0]
    kills = [stage.kill(runner) for runner in stage.runners]
    sent = stage.send_bot(place)
    stage.comes(lambda: stage.record(place, sent.meeting_id)["bot_status"] == "failed")
    for runner, kill in zip(stage.runners, kills):
        stage.restart(runner, kill)


@scenario(emptiness=40_000)
def node_killed_before_ingest(stage):
    """A node is killed when it has read a bot's segments, and has not stored them."""
    place = stage.rooms()[0]
    hold = stage.hold(stage.nodes, "ingest_segments", is_of_confirmed)
    stage.send_bot(place)
    node = hold.strikes()
    kill = stage.kill(node)
    # What was held never arrives.
    stage.cluster.proxy_of(node).cut()
    before = len(stage.acknowledged(place))
    stage.comes(lambda: len(stage.acknowledged(place)) > before)
    stage.restart(node, kill)


def _bot_in_its_room(stage, place):
    """(operation, runner) of a new bot."""
    sent = stage.send_bot(place)
    stay = stage.join(place, sent.meeting_id)
    return sent, stage.bot(stay.bot_id).runner


def _replace(stage, place, sent):
    """Waits for the meeting's bot to be given up, and restarts the meeting."""
    if stage.restart_once_ended(place, sent.meeting_id):
        stage.enter(place, 2)
        stage.meet(place)
