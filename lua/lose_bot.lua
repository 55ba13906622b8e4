-- Ends a bot that has gone without a word: its lease ran out, or its runner saw its process end without a terminal
-- report. One that was not in the room yet is replaced by a new one, next epoch, up to a number of attempts and while
-- the dispatch is in flight; one in the room ends as failed; a stopped one as completed. Repeating it changes nothing.
-- docs/architecture.md, "A meeting's state": "failed before it was in the room", "failed in the room, or its runner was
-- lost".
--
-- flags: allow-oom
--
-- KEYS[1...14]  those of includes/life.lua
-- KEYS[15]  dispatch_key     usher:{pX}:dispatch                  stream: dispatches to be claimed
-- KEYS[16]  replacement_key  usher:{pX}:bot:<replacement bot_id>  hash: the bot that takes its place, if one does
-- KEYS[17]  primary_key      usher:{pX}:primary                   hash: the server that answers, and since when
-- ARGV[1]      bot_id        text
-- ARGV[2]      meeting_id    text
-- ARGV[3]      runner        text?: id of the runner that saw it end, none if its lease is said to have run out
-- ARGV[4]      reason        text: reason, such as lease_expired, bot_exited or launch_failed
-- ARGV[5]      replaceable   flag: whether a replacement may be sent
-- ARGV[6]      max_attempts  integer: attempts that a dispatch has in all
-- ARGV[7]      replacement   text: bot_id of the replacement
-- ARGV[8]      keep_ms       integer: how long the hash of a bot that has ended is kept, ms
-- ARGV[9]      max_events    integer: length at which the event stream is trimmed
-- ARGV[10]     lease_ms      integer: time to live of a lease, ms; the bot's own may be longer
-- ARGV[11...]  fields        pairs: how its process ended, for the bot's record and, unless it is replaced, the
--                            meeting's: fields, each followed by its value: exit_code, exit_signal, error_details,
--                            bot_output
--
-- Returns {'ended', status: text, bot_status: text}
--         {'replaced', epoch: integer}
--         {'stale'}                                  it is not the meeting's current bot, or has ended
--         {'leased'}                                 its lease has not run out, or may have been renewed by another
--                                                    primary, or the clock leapt
--         {'not_yours'}                              it is not this runner's

-- include: life
-- include: time
-- include: primary
-- include: feed
-- include: events
-- include: entry
-- include: send_bot
-- include: bots

local dispatch_key, replacement_key, primary_key = unpack(KEYS, 15)
local bot_id, meeting_id, runner, reason, replaceable, max_attempts, replacement, keep_ms, max_events, lease_ms =
  unpack(ARGV, 1, 10)
local fields = {unpack(ARGV, 11)}

local meeting = redis.call('HMGET', keys.meeting, 'bot_id', 'status', 'bot_status')
local bot = redis.call('HMGET', keys.bot, 'ended_at', 'runner', 'active_at', 'attempts', 'workspace_id', 'room',
  'traceparent', 'tracestate', 'lease_ms')
local at_ms = now_ms()
if meeting[1] ~= bot_id or bot[1] then
  redis.call('ZREM', keys.leases, bot_id)
  return {'stale'}
end
if runner == '' then
  local expiry = redis.call('ZSCORE', keys.leases, bot_id)
  if not expiry or tonumber(expiry) > at_ms then return {'leased'} end
  -- A runner may grant longer leases than a node knows of.
  local longest_ms = math.max(lease_ms, tonumber(bot[9] or '') or 0)
  if primary_since(primary_key, at_ms, longest_ms) + longest_ms > at_ms then return {'leased'} end
elseif bot[2] ~= runner then
  return {'not_yours'}
end

local left_ms = redis.call('PTTL', keys.inflight)
local may_replace = replaceable == '1' and meeting[2] == 'INITIAL' and not bot[3] and left_ms > 0
  and bot[4] and tonumber(bot[4]) < tonumber(max_attempts)
if #fields > 0 and bot[2] then redis.call('HSET', keys.bot, unpack(fields)) end
if not may_replace then
  local status, bot_status = end_bot(keys, bot_id, meeting_id, at_ms, keep_ms, max_events, 'failed', reason,
    meeting[3] or 'requested', fields)
  return {'ended', status, bot_status}
end
-- Of another type, it fails before anybody is told.
redis.call('ZCARD', keys.leases)
-- The new bot takes the room over from the old one: the room is free at no moment.
local new_keys = {meeting = keys.meeting, bot = replacement_key, inflight = keys.inflight, room = keys.room,
  bots = keys.bots, dispatch = dispatch_key, events = keys.events, webhooks = keys.webhooks, outbox = keys.outbox,
  operators = keys.operators, feed = keys.feed, feeds = keys.feeds}
local epoch = send_bot(new_keys, meeting_id, bot[5], bot[6], replacement, left_ms, at_ms, bot[4] + 1,
  {max_length = max_events, what = 'replaced', from = meeting[2] .. '/' .. (meeting[3] or ''), why = reason,
    changed = {bot_container_id = ''}},
  {parent = bot[7] or '', state = bot[8] or ''})
redis.call('HDEL', keys.meeting, 'bot_container_id')
retire_bot(keys, bot_id, at_ms, keep_ms)
return {'replaced', epoch}
