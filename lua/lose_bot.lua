-- Ends a bot that has gone without a word: its lease ran out, or its runner saw its process end without a terminal
-- report. One that was not in the room yet is replaced by a new one, next epoch, up to a number of attempts and while
-- the dispatch is in flight; one in the room ends as failed; a stopped one as completed. Repeating it changes nothing.
-- docs/architecture.md, "A meeting's state": "failed before it was in the room", "failed in the room, or its runner was
-- lost".
--
-- flags: allow-oom
--
-- KEYS[1]  usher:{pX}:meeting:<meeting_id>               hash: the meeting
-- KEYS[2]  usher:{pX}:bot:<bot_id>                       hash: the bot
-- KEYS[3]  usher:{pX}:ws:<workspace_id>:inflight:<room>  string: the bot_id in flight
-- KEYS[4]  usher:{pX}:ws:<workspace_id>:room:<room>      string: the meeting whose bot holds the room
-- KEYS[5]  usher:{pX}:ws:<workspace_id>:bots             zset: dispatch time (ms) -> bot_id
-- KEYS[6]  usher:{pX}:leases                             zset: lease expiry (ms) -> bot_id
-- KEYS[7]  usher:{pX}:analyzing                          zset: end of the meeting (ms) -> meeting_id
-- KEYS[8]  usher:{pX}:events                             stream: what happened
-- KEYS[9]  usher:{pX}:ended                              zset: end of the meeting (ms) -> meeting_id
-- KEYS[10] usher:{pX}:dispatch                           stream: dispatches to be claimed
-- KEYS[11] usher:{pX}:bot:<replacement bot_id>           hash: the bot that takes its place, if one does
-- KEYS[12] usher:{pX}:primary                            hash: the server that answers, and since when
-- ARGV[1]  bot_id
-- ARGV[2]  meeting_id
-- ARGV[3]  id of the runner that saw it end, or '' if its lease is said to have run out
-- ARGV[4]  reason, such as lease_expired, bot_exited or launch_failed
-- ARGV[5]  1 if a replacement may be sent, else 0
-- ARGV[6]  attempts that a dispatch has in all
-- ARGV[7]  bot_id of the replacement
-- ARGV[8]  how long the hash of a bot that has ended is kept, ms
-- ARGV[9]  length at which the event stream is trimmed
-- ARGV[10] time to live of a lease, ms
-- ARGV[11...]  how its process ended, for the bot's record and, unless it is replaced, the meeting's: fields, each
--              followed by its value: exit_code, exit_signal, error_details, bot_output
--
-- Returns {1, status, bot_status}  ended
--         {2, epoch}               replaced
--         {0}                      it is not the meeting's current bot, or has ended
--         {-1}                     its lease has not run out, or may have been renewed by another primary
--         {-2}                     it is not this runner's

-- include: time
-- include: primary
-- include: events
-- include: send_bot
-- include: bots

local meeting = redis.call('HMGET', KEYS[1], 'bot_id', 'status', 'bot_status')
local bot = redis.call('HMGET', KEYS[2], 'ended_at', 'runner', 'active_at', 'attempts', 'workspace_id', 'room',
  'traceparent', 'tracestate')
local at_ms = now_ms()
if meeting[1] ~= ARGV[1] or bot[1] then
  redis.call('ZREM', KEYS[6], ARGV[1])
  return {0}
end
if ARGV[3] == '' then
  local expiry = redis.call('ZSCORE', KEYS[6], ARGV[1])
  if not expiry or tonumber(expiry) > at_ms then return {-1} end
  if primary_since(KEYS[12], at_ms) + ARGV[10] > at_ms then return {-1} end
elseif bot[2] ~= ARGV[3] then
  return {-2}
end

local keys = {meeting = KEYS[1], bot = KEYS[2], inflight = KEYS[3], room = KEYS[4], bots = KEYS[5], leases = KEYS[6],
  analyzing = KEYS[7], events = KEYS[8], ended = KEYS[9]}
local left_ms = redis.call('PTTL', KEYS[3])
local may_replace = ARGV[5] == '1' and meeting[2] == 'INITIAL' and not bot[3] and left_ms > 0
  and bot[4] and tonumber(bot[4]) < tonumber(ARGV[6])
if #ARGV > 10 and bot[2] then redis.call('HSET', KEYS[2], unpack(ARGV, 11)) end
if not may_replace then
  local status, bot_status = end_bot(keys, ARGV[1], ARGV[2], at_ms, ARGV[8], ARGV[9], 'failed', ARGV[4],
    meeting[3] or 'requested')
  if #ARGV > 10 then redis.call('HSET', KEYS[1], unpack(ARGV, 11)) end
  return {1, status, bot_status}
end
-- The new bot takes the room over from the old one: the room is free at no moment.
local new_keys = {meeting = KEYS[1], bot = KEYS[11], inflight = KEYS[3], room = KEYS[4], bots = KEYS[5],
  dispatch = KEYS[10], events = KEYS[8]}
local epoch = send_bot(new_keys, ARGV[2], bot[5], bot[6], ARGV[7], left_ms, at_ms, bot[4] + 1, {max_length = ARGV[9],
  what = 'replaced', from = meeting[2] .. '/' .. (meeting[3] or ''), why = ARGV[4]},
  {parent = bot[7] or '', state = bot[8] or ''})
redis.call('HDEL', KEYS[1], 'bot_container_id')
retire_bot(keys, ARGV[1], at_ms, ARGV[8])
return {2, epoch}
