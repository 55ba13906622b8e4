-- A runner takes a dispatch: from here on the bot is its to start, under a lease. Only the current bot of the meeting,
-- still wanted and with its in-flight key alive, can be claimed, and only once; a runner that asks again because it
-- lost the answer gets the same one, which it tells by the secret: a later claim of its own would take the lease for
-- younger than it is. An entry that can't be claimed any more is removed, but for one whose time is up:
-- by its entry, expire_dispatch finds what is to be ended. docs/architecture.md, "Leases".
--
-- flags: allow-oom
--
-- KEYS[1]  meeting_key   usher:{pX}:meeting:<meeting_id>               hash: the meeting
-- KEYS[2]  bot_key       usher:{pX}:bot:<bot_id>                       hash: the bot
-- KEYS[3]  inflight_key  usher:{pX}:ws:<workspace_id>:inflight:<room>  string: the bot_id in flight
-- KEYS[4]  leases_key    usher:{pX}:leases                             zset: lease expiry (ms) -> bot_id
-- KEYS[5]  dispatch_key  usher:{pX}:dispatch                           stream: dispatches to be claimed
-- ARGV[1]  bot_id       text
-- ARGV[2]  epoch        integer
-- ARGV[3]  runner       text: id of the runner
-- ARGV[4]  lease_ms     integer: time to live of the lease, ms
-- ARGV[5]  secret       text: SHA-256 of the bot's secret
-- ARGV[6]  entry        text: id of the stream entry
-- ARGV[7]  container    text: name of the bot's container or process, as users see it
-- ARGV[8]  uses_stream  flag: whether the bot is told to write to the segment stream
-- ARGV[9]  position     text?: id of the last entry that this stream had before
--
-- Returns {'claimed', claimed_at: integer, meeting: hash, traceparent: text?, tracestate: text?}  (change)
--         {'stale'}           the bot is not the meeting's current one, or has ended
--         {'claimed_before'}  another runner has it, or another claim of this one
--         {'unwanted'}        it is no longer wanted
--         {'expired'}         its in-flight key has gone

-- include: time

local meeting_key, bot_key, inflight_key, leases_key, dispatch_key = unpack(KEYS)
local bot_id, epoch, runner, lease_ms, secret, entry, container, uses_stream, position = unpack(ARGV)

-- What comes after it in the stream may be this bot's: `<bot_id>=<id>` for each of the last ten.
local function note_position()
  local kept = {}
  for each in string.gmatch(redis.call('HGET', meeting_key, 'positions') or '', '%S+') do kept[#kept + 1] = each end
  kept[#kept + 1] = bot_id .. '=' .. position
  redis.call('HSET', meeting_key, 'positions', table.concat(kept, ' ', math.max(1, #kept - 9)))
end

local function void(word)
  redis.call('XACK', dispatch_key, 'runners', entry)
  redis.call('XDEL', dispatch_key, entry)
  return {word}
end

local meeting = redis.call('HMGET', meeting_key, 'bot_id', 'epoch')
local bot = redis.call('HMGET', bot_key, 'runner', 'desired', 'ended_at', 'claimed_at', 'secret', 'traceparent',
  'tracestate')
if meeting[1] ~= bot_id or meeting[2] ~= epoch or bot[3] then return void('stale') end
if bot[1] and (bot[1] ~= runner or bot[5] ~= secret) then return void('claimed_before') end
if bot[2] ~= 'run' then return void('unwanted') end
local at_ms = bot[4]
if not bot[1] then
  if redis.call('GET', inflight_key) ~= bot_id then
    redis.call('XACK', dispatch_key, 'runners', entry)
    return {'expired'}
  end
  at_ms = now_ms()
  -- First, since it can fail: a lease without a claim is no runner's to renew.
  redis.call('ZADD', leases_key, at_ms + lease_ms, bot_id)
  redis.call('HSET', bot_key, 'runner', runner, 'claimed_at', at_ms, 'lease_ms', lease_ms, 'secret', secret,
    'container', container, 'stream', uses_stream)
  redis.call('HSET', meeting_key, 'bot_container_id', container)
  if position ~= '' then note_position() end
end
void('claimed')
return {'claimed', tonumber(at_ms), redis.call('HGETALL', meeting_key), bot[6] or '', bot[7] or ''}
