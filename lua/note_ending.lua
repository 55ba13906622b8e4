-- A runner notes why it ends a bot, before it does: the bot itself only learns that it is to leave, and may report that
-- it was stopped. Repeating it changes nothing.
--
-- flags: allow-oom
--
-- KEYS[1]  bot_key  usher:{pX}:bot:<bot_id>  hash: the bot
-- ARGV[1]  runner  text: id of the runner
-- ARGV[2]  reason  text: reason, such as join_timeout
--
-- Returns 'noted'
--         'not_yours'  the bot is not this runner's, or has ended

local bot_key = unpack(KEYS)
local runner, reason = unpack(ARGV)

local bot = redis.call('HMGET', bot_key, 'runner', 'ended_at')
if bot[1] ~= runner or bot[2] then return 'not_yours' end
redis.call('HSET', bot_key, 'ending', reason)
return 'noted'
