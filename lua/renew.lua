-- Renews the leases of a runner's bots in one partition, and tells what is wanted of each. A lease that has run out is
-- not renewed, even if nobody has noticed yet: the bot's supervisor has ended it by then. docs/architecture.md,
-- "Leases".
--
-- flags: allow-oom
--
-- KEYS[1]     usher:{pX}:leases        zset: lease expiry (ms) -> bot_id
-- KEYS[2...]  usher:{pX}:bot:<bot_id>  hash: a bot, in the order of the bot_ids
-- ARGV[1]     id of the runner
-- ARGV[2]     time to live of a lease, ms
-- ARGV[3...]  bot_ids
--
-- Returns an array with, for each bot, {} if the lease is refused, else {desired ('run' or 'leave'), config_version,
-- language or '', task or '', bot_name or '', whether the bot has been in the room: 1 or 0}

-- include: time

local at_ms = now_ms()
local answers = {}
for index = 3, #ARGV do
  local bot = redis.call('HMGET', KEYS[index - 1], 'runner', 'ended_at', 'desired', 'config_version', 'language',
    'task', 'bot_name', 'active_at')
  local expiry = redis.call('ZSCORE', KEYS[1], ARGV[index])
  local answer = {}
  if bot[1] == ARGV[1] and not bot[2] and expiry and tonumber(expiry) > at_ms then
    redis.call('ZADD', KEYS[1], at_ms + ARGV[2], ARGV[index])
    answer = {bot[3], tonumber(bot[4]), bot[5] or '', bot[6] or '', bot[7] or '', bot[8] and 1 or 0}
  end
  answers[#answers + 1] = answer
end
return answers
