"""Mutants of the scripts."""

from mutants.mutant import Edit, Mutant

SCRIPTS = (
    Mutant(
        "dispatch-without-room-check",
        "The re-invite's script does not ask whether a bot of another meeting holds the room.",
        "presence", "two_meetings_in_one_room",
        (Edit("lua/dispatch.lua", "if holder then return {'room_held', holder} end\n", ""),)),
    Mutant(
        "request-without-room-check",
        "The Bots API's script leaves it to the node's look beforehand whether the room is free.",
        "presence", "request_held_while_restarted",
        (Edit("lua/request_bot.lua",
              "if redis.call('EXISTS', inflight_key) == 1 then return {'in_flight', holder or ''} end\n"
              "if holder then return {'room_held', holder} end\n", ""),
         # A room that has no other name is asked for in place of one.
         Edit("lua/request_bot.lua", "if other then return {'in_flight', other} end\n", ""))),
    Mutant(
        "request-without-limit",
        "The Bots API's script leaves it to the node's look beforehand whether the limit is reached.",
        "limits", "request_held_at_the_limit",
        (Edit("lua/request_bot.lua",
              "if redis.call('ZCARD', bots_key) >= maximum then return {'too_many_bots', maximum} end\n", ""),)),
    Mutant(
        "no-epoch-check",
        "Neither claim nor renewal nor report asks whether the bot is the one that its meeting waits for.",
        "presence", "claim_held_while_stopped",
        (Edit("lua/claim.lua",
              "if meeting[1] ~= bot_id or meeting[2] ~= epoch or bot[3] then return void('stale') end\n", ""),
         Edit("lua/claim.lua", "if bot[2] ~= 'run' then return void('unwanted') end\n", ""),
         Edit("lua/claim.lua", "  if redis.call('GET', inflight_key) ~= bot_id then\n", "  if false then\n"),
         Edit("lua/renew.lua", "bot[1] == runner and not bot[2] and is_alive", "bot[1] == runner and is_alive"),
         Edit("lua/report.lua", "if meeting[1] ~= bot_id then return {'stale'} end\n", ""),
         Edit("lua/report.lua", "if bot[1] then return {'stale'} end\n", ""),
         Edit("lua/report.lua",
              "if not (steps[from] and steps[from][step]) then return {'illegal', from, step} end\n", ""))),
    Mutant(
        "slot-never-freed",
        "A bot that has ended goes on to count against the limit of its workspace.",
        "convergence", "one_stay",
        (Edit("lua/includes/bots.lua", "  redis.call('ZREM', keys.bots, bot_id)\n", ""),)),
    Mutant(
        "room-never-freed",
        "A bot that has ended goes on to hold its room.",
        "convergence", "one_stay",
        (Edit("lua/includes/bots.lua", "  if holder == meeting_id then redis.call('DEL', keys.room) end\n", ""),),
        is_in_vain=True),
    Mutant(
        "entry-never-written",
        "A dispatch is accepted, and no runner is told.",
        "fates", "one_stay",
        (Edit("lua/includes/send_bot.lua", "  record_change(keys, event.max_length,",
              "  redis.call('XDEL', keys.dispatch, entry)\n  record_change(keys, event.max_length,"),),
        is_in_vain=True),
    Mutant(
        "never-finalised",
        "A record is finalised, and stays in ANALYZING.",
        "convergence", "one_stay",
        (Edit("lua/finalise.lua", "redis.call('HSET', meeting_key, 'status', 'OFFLINE')\n", ""),),
        is_in_vain=True),
    Mutant(
        "segments-unwritten",
        "Transcript segments are counted, and not written.",
        "transcripts", "one_stay",
        (Edit("lua/ingest_segments.lua", "redis.call('HSET', segments_key, write.field, write.value)", ""),)),
    Mutant(
        "request-done-twice",
        "The dispatch script does not look whether a request with the same idempotency key was done.",
        "fates", "asked_again_elsewhere",
        (Edit("lua/dispatch.lua", "if earlier then return {'repeated', earlier} end\n", ""),)),
    Mutant(
        "stop-unmarked",
        "A stop is told to the bot alone, and not written down for the runner to hear of.",
        "stops", "stop_of_a_deaf_bot",
        (Edit("lua/stop.lua", "redis.call('HSET', keys.bot, 'desired', 'leave', 'stop_asked_at', at_ms)\n",
              "redis.call('HSET', keys.bot, 'stop_asked_at', at_ms)\n"),),
        is_in_vain=True),
    Mutant(
        "stop-of-the-unclaimed-forgotten",
        "The stop of a bot that no runner has claimed is left to a runner to carry out.",
        "convergence", "stop_before_the_claim",
        (Edit("lua/stop.lua", "if bot[1] then\n  redis.call('DEL'", "if true then\n  redis.call('DEL'"),)),
    Mutant(
        "stopped-bot-replaced",
        "A bot that is killed after it was told to stop is replaced by another one.",
        "stops", "stop_of_a_stubborn_bot",
        (Edit("lua/lose_bot.lua",
              "local left_ms = redis.call('PTTL', keys.inflight)\n"
              "local may_replace = replaceable == '1' and meeting[2] == 'INITIAL' and not bot[3] and left_ms > 0\n",
              "local left_ms = math.max(redis.call('PTTL', keys.inflight), 60000)\n"
              "local may_replace = replaceable == '1' and not bot[3]\n"),)),
    Mutant(
        "expiry-forgotten",
        "A dispatch that no runner claims in its time is taken for claimed, and never ends.",
        "convergence", "no_runner_in_time",
        (Edit("lua/expire_dispatch.lua", "if bot[1] then return 'claimed_before' end\n",
              "if true then return 'claimed_before' end\n"),),
        is_in_vain=True),
    Mutant(
        "lock-ignored",
        "The re-invite's script does not ask whose the lock of the workspace is.",
        "answers", "lock_held",
        (Edit("lua/dispatch.lua", "if redis.call('GET', lock_key) ~= token then return {'not_yours'} end\n", ""),)),
    Mutant(
        "unlock-without-token",
        "A request that failed gives back the lock of the workspace, even if it is another's.",
        "answers", "lock_held_while_memory_is_full",
        (Edit("lua/unlock.lua", "if holder ~= token then return 'not_yours' end\n", ""),)),
    Mutant(
        "renewal-without-reserve",
        "No lease is renewed while Redis is full.",
        "deaths", "redis_filled",
        (Edit("lua/renew.lua", "-- flags: allow-oom\n--\n", ""),)),
    Mutant(
        "end-without-reserve",
        "No bot can be stopped, or say that it has left, while Redis is full.",
        "answers", "redis_filled",
        (Edit("lua/stop.lua", "-- flags: allow-oom\n--\n", ""),
         Edit("lua/report.lua", "-- flags: allow-oom\n--\n", "")),
        is_in_vain=True),
    Mutant(
        "bucket-beyond-empty",
        "A bucket of requests is believed to be empty for as long as Redis' clock was set back by.",
        "answers", "clock_set_back_while_users_ask",
        (Edit("lua/take_tokens.lua",
              "if full_us > now_us + each_us * most + 1000000 then full_us = now_us end\n", ""),)),
    Mutant(
        "lease-beyond-its-life",
        "A lease is believed to last for as long as Redis' clock was set back by.",
        "convergence", "clock_set_back_while_a_runner_is_dead",
        (Edit("lua/bound_lease.lua",
              "if tonumber(expiry) <= latest then return 'unchanged' end\n",
              "if true then return 'unchanged' end\n"),),
        is_in_vain=True),
    Mutant(
        "change-untold",
        "A change of a status is not written into the outbox with it.",
        "webhooks", "told_stays",
        (Edit("lua/includes/events.lua", "  redis.call('XADD', keys.outbox, '*', unpack(fields))\n",
              "  if what ~= 'stopping' then redis.call('XADD', keys.outbox, '*', unpack(fields)) end\n"),)),
    Mutant(
        "change-untold-to-the-operator",
        "The operator is told of the changes in those workspaces alone that have a webhook.",
        "webhooks", "stays_told_to_the_operator",
        (Edit("lua/includes/events.lua", "'EXISTS', keys.webhooks, keys.operators)", "'EXISTS', keys.webhooks)"),)),
    Mutant(
        "said-untold",
        "Of the segments that are stored viewers are told only where there are many.",
        "views", "viewed_stays",
        (Edit("lua/includes/feed.lua", "if bytes > 1000 or index == #writes then", "if bytes > 1000 then"),)),
    Mutant(
        "plan-never-served",
        "A planned meeting that has had its bot waits for one on and on.",
        "planned", "planned_stay",
        (Edit("lua/send_planned.lua",
              "local is_plan = meeting[1] == 'INITIAL' and not meeting[2] and tonumber(meeting[3] or '')\n",
              "local is_plan = tonumber(meeting[3] or '')\n"),
         Edit("lua/send_planned.lua", "disarm(planning, plan, meeting_id)\nreturn {'sent', epoch}\n",
              "return {'sent', epoch}\n"),
         # While its bot is in the room it would wait for half a minute.
         Edit("lua/send_planned.lua", "at_ms + retry_ms", "at_ms + 200"))),
    Mutant(
        "occurrence-unnoted",
        "The plan of an event is made, and its calendar does not note that.",
        "calendars", "cancelled_event",
        (Edit("lua/create_meeting.lua",
              "if occurrence ~= '' then redis.call('HSET', occurrences_key, occurrence, entry) end\n", ""),)),
    Mutant(
        "planned-without-lease",
        "A node makes the plan of an event whose calendar is another's by now.",
        "calendars", "event_cancelled_while_planned",
        (Edit("lua/create_meeting.lua",
              "if occurrence ~= '' and not has_lease(calendar_key, lease_end) then return {'not_yours'} end\n", ""),)),
    Mutant(
        "delivery-without-lease",
        "A node takes an event to deliver it without a lease, so that all nodes do.",
        "webhooks", "told_stays",
        (Edit("lua/claim_deliveries.lua", "    redis.call('ZADD', due_key, ends, id)\n", ""),)),
)
