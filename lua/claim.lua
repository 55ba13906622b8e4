-- A runner takes a dispatch: from here on the bot is its to start, under a lease. Only the current bot of the meeting,
-- still wanted and with its in-flight key alive, can be claimed, and only once; a runner that asks again because it
-- lost the answer gets the same one, which it tells by the secret: a later claim of its own would take the lease for
-- younger than it is. An entry that can't be claimed any more is removed, but for one whose time is up:
-- by its entry, expire_dispatch finds what is to be ended. docs/architecture.md, "Leases".
--
-- flags: allow-oom
--
-- KEYS[1]  usher:{pX}:meeting:<meeting_id>               hash: the meeting
-- KEYS[2]  usher:{pX}:bot:<bot_id>                       hash: the bot
-- KEYS[3]  usher:{pX}:ws:<workspace_id>:inflight:<room>  string: the bot_id in flight
-- KEYS[4]  usher:{pX}:leases                             zset: lease expiry (ms) -> bot_id
-- KEYS[5]  usher:{pX}:dispatch                           stream: dispatches to be claimed
-- ARGV[1]  bot_id
-- ARGV[2]  epoch
-- ARGV[3]  id of the runner
-- ARGV[4]  time to live of the lease, ms
-- ARGV[5]  SHA-256 of the bot's secret
-- ARGV[6]  id of the stream entry
-- ARGV[7]  name of the bot's container or process, as users see it
-- ARGV[8]  1 if the bot is told to write to the segment stream, else 0
--
-- Returns {1, claimed_at ms, meeting's fields and values, traceparent or '', tracestate or ''}  claimed
--         {0}   the bot is not the meeting's current one, or has ended
--         {-1}  another runner has it, or another claim of this one
--         {-2}  it is no longer wanted
--         {-3}  its in-flight key has gone

-- include: time

local function void(code)
  redis.call('XACK', KEYS[5], 'runners', ARGV[6])
  redis.call('XDEL', KEYS[5], ARGV[6])
  return {code}
end

local meeting = redis.call('HMGET', KEYS[1], 'bot_id', 'epoch')
local bot = redis.call('HMGET', KEYS[2], 'runner', 'desired', 'ended_at', 'claimed_at', 'secret', 'traceparent',
  'tracestate')
if meeting[1] ~= ARGV[1] or meeting[2] ~= ARGV[2] or bot[3] then return void(0) end
if bot[1] and (bot[1] ~= ARGV[3] or bot[5] ~= ARGV[5]) then return void(-1) end
if bot[2] ~= 'run' then return void(-2) end
local at_ms = bot[4]
if not bot[1] then
  if redis.call('GET', KEYS[3]) ~= ARGV[1] then
    redis.call('XACK', KEYS[5], 'runners', ARGV[6])
    return {-3}
  end
  at_ms = now_ms()
  -- First, since it can fail: a lease without a claim is no runner's to renew.
  redis.call('ZADD', KEYS[4], at_ms + ARGV[4], ARGV[1])
  redis.call('HSET', KEYS[2], 'runner', ARGV[3], 'claimed_at', at_ms, 'lease_ms', ARGV[4], 'secret', ARGV[5],
    'container', ARGV[7], 'stream', ARGV[8])
  redis.call('HSET', KEYS[1], 'bot_container_id', ARGV[7])
end
void(1)
return {1, tonumber(at_ms), redis.call('HGETALL', KEYS[1]), bot[6] or '', bot[7] or ''}
