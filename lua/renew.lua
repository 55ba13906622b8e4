-- Renews the leases of a runner's bots in one partition, and tells what is wanted of each. A lease that has run out is
-- not renewed, even if nobody has noticed yet: the bot's supervisor has ended it by then. But where none may be said to
-- have run out (a new primary, a clock that leapt) one that nobody has ended is. docs/architecture.md, "Leases".
--
-- flags: allow-oom
--
-- KEYS[1]     leases_key   usher:{pX}:leases        zset: lease expiry (ms) -> bot_id
-- KEYS[2]     primary_key  usher:{pX}:primary       hash: the server that answers, and since when
-- KEYS[3...]  bot_keys     usher:{pX}:bot:<bot_id>  hash: a bot, in the order of the bot_ids
-- ARGV[1]     runner    text: id of the runner
-- ARGV[2]     lease_ms  integer: time to live of a lease, ms
-- ARGV[3...]  bot_ids   list: bot_ids
--
-- Returns {'renewed', bots: array}  (change): some of them; for each bot {} if its lease is refused, else {desired
--                                   ('run' or 'leave'), config_version, language or '', task or '', bot_name or '',
--                                   whether the bot has been in the room: 1 or 0}
--         {'refused'}               the leases of all of them

-- include: time
-- include: primary

local leases_key, primary_key = unpack(KEYS, 1, 2)
local bot_keys = {unpack(KEYS, 3)}
local runner, lease_ms = unpack(ARGV, 1, 2)
local bot_ids = {unpack(ARGV, 3)}

local at_ms = now_ms()

local function is_alive(expiry)
  return expiry and (tonumber(expiry) > at_ms or primary_since(primary_key, at_ms, lease_ms) + lease_ms > at_ms)
end

local answers, is_renewed = {}, false
for index = 1, #bot_keys do
  local bot = redis.pcall('HMGET', bot_keys[index], 'runner', 'ended_at', 'desired', 'config_version', 'language',
    'task', 'bot_name', 'active_at')
  -- It is no hash: that bot is refused, and those beside it are not.
  if bot.err then bot = {} end
  local expiry = redis.call('ZSCORE', leases_key, bot_ids[index])
  local answer = {}
  if bot[1] == runner and not bot[2] and is_alive(expiry) then
    redis.call('ZADD', leases_key, at_ms + lease_ms, bot_ids[index])
    is_renewed = true
    answer = {bot[3], tonumber(bot[4]), bot[5] or '', bot[6] or '', bot[7] or '', bot[8] and 1 or 0}
  end
  answers[#answers + 1] = answer
end
if not is_renewed then return {'refused'} end
return {'renewed', answers}
