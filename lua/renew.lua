-- Renews the leases of a runner's bots in one partition, and tells what is wanted of each. A lease that has run out is
-- not renewed, even if nobody has noticed yet: the bot's supervisor has ended it by then. Design, section 6.
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
local bot_keys, answers = {unpack(KEYS, 2)}, {}
for index, bot_id in ipairs({unpack(ARGV, 3)}) do
  local bot = redis.call('HMGET', bot_keys[index], 'runner', 'ended_at', 'desired', 'config_version', 'language', 'task',
    'bot_name', 'active_at')
  local expiry = redis.call('ZSCORE', KEYS[1], bot_id)
  if bot[1] == ARGV[1] and not bot[2] and expiry and tonumber(expiry) > at_ms then
    redis.call('ZADD', KEYS[1], at_ms + ARGV[2], bot_id)
    answers[index] = {bot[3], tonumber(bot[4]), bot[5] or '', bot[6] or '', bot[7] or '', bot[8] and 1 or 0}
  else
    answers[index] = {}
  end
end
return answers
