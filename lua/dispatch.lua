-- Accepts the dispatch of a bot to a meeting, as the re-invite endpoint asks for it: everything at once, or nothing.
-- Section 4 of the design: "dispatch accepted" and "restarted". The lock is given back whatever the result, unless
-- it is another's. A repeated call finds the in-flight key and changes nothing.
--
-- KEYS[1]  usher:{pX}:ws:<workspace_id>:lock             string: the token of the request that holds the lock
-- KEYS[2]  usher:{pX}:ws:<workspace_id>:inflight:<room>  string: the bot_id in flight
-- KEYS[3]  usher:{pX}:ws:<workspace_id>:room:<room>      string: the meeting whose bot holds the room
-- KEYS[4]  usher:{pX}:ws:<workspace_id>:bots             zset: dispatch time (ms) -> bot_id
-- KEYS[5]  usher:{pX}:meeting:<meeting_id>               hash: the meeting
-- KEYS[6]  usher:{pX}:bot:<bot_id>                       hash: the new bot
-- KEYS[7]  usher:{pX}:dispatch                           stream: dispatches to be claimed
-- KEYS[8]  usher:{pX}:events                             stream: what happened
-- ARGV[1]  the caller's lock token
-- ARGV[2]  the status that the caller saw: INITIAL, or OFFLINE for a restart
-- ARGV[3]  meeting_id
-- ARGV[4]  workspace_id
-- ARGV[5]  room
-- ARGV[6]  bot_id
-- ARGV[7]  time to live of the in-flight key, ms
-- ARGV[8]  length at which the event stream is trimmed
-- ARGV[9]  who asked, for the event
--
-- Returns {1, dispatched_at ms, epoch}  accepted
--         {0}                           the lock is not the caller's (any more)
--         {-1, meeting_id or ''}        a dispatch to the room is in flight; the meeting that holds the room
--         {-2, status or ''}            the status is no longer the one that was seen
--         {-3, meeting_id}              a bot of this meeting holds the room, and no dispatch is in flight

-- include: time
-- include: events

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {0} end
redis.call('DEL', KEYS[1])

local holder = redis.call('GET', KEYS[3])
if redis.call('EXISTS', KEYS[2]) == 1 then return {-1, holder or ''} end
local meeting = redis.call('HMGET', KEYS[5], 'status', 'bot_status')
if meeting[1] ~= ARGV[2] then return {-2, meeting[1] or ''} end
if holder then return {-3, holder} end

-- Redis takes nothing back when a command fails, as on a key that another hand gave another type. So those that can
-- fail come first, and leave nothing that counts: an entry without its in-flight key is void to every runner.
local at_ms = now_ms()
local epoch = redis.call('HINCRBY', KEYS[5], 'epoch', 1)
-- As text, once: Redis writes every number that it is given with seventeen digits, which costs as much as a command.
local at, epoch_text = string.format('%d', at_ms), string.format('%d', epoch)
local entry = redis.call('XADD', KEYS[7], '*', 'meeting_id', ARGV[3], 'workspace_id', ARGV[4], 'bot_id', ARGV[6],
  'epoch', epoch_text, 'room', ARGV[5], 'dispatched_at', at)
record_event(KEYS[8], ARGV[8], at, ARGV[2] == 'OFFLINE' and 'restarted' or 'dispatched', ARGV[3], ARGV[6],
  ARGV[2] .. '/' .. (meeting[2] or ''), 'INITIAL/requested', ARGV[9])
redis.call('ZADD', KEYS[4], at, ARGV[6])

redis.call('SET', KEYS[2], ARGV[6], 'NX', 'PX', ARGV[7])
redis.call('SET', KEYS[3], ARGV[3])
if ARGV[2] == 'OFFLINE' then
  redis.call('HDEL', KEYS[5], 'start_time', 'end_time', 'duration', 'flag')
end
redis.call('HSET', KEYS[5], 'status', 'INITIAL', 'bot_status', 'requested', 'bot_id', ARGV[6],
  'dispatched_at', at)
redis.call('HSET', KEYS[6], 'meeting_id', ARGV[3], 'workspace_id', ARGV[4], 'room', ARGV[5], 'epoch', epoch_text,
  'attempts', '1', 'desired', 'run', 'config_version', '0', 'dispatched_at', at, 'entry', entry)
return {1, at_ms, epoch}
