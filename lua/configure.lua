-- Changes the configuration of the bot that is in a room (PUT /bots/.../config). It reaches the bot by the answer to
-- its lease, should the message to it be lost.
--
-- flags: allow-oom
--
-- KEYS[1]  usher:{pX}:meeting:<meeting_id>  hash: the meeting
-- KEYS[2]  usher:{pX}:bot:<bot_id>          hash: the bot
-- ARGV[1]  bot_id
-- ARGV[2...]  fields, each followed by its value: language, task, bot_name; at least one
--
-- Returns the new config_version, 0 if this bot is not in the room

-- include: time

local meeting = redis.call('HMGET', KEYS[1], 'bot_id', 'bot_status')
if meeting[1] ~= ARGV[1] or meeting[2] ~= 'active' then return 0 end
local version = redis.call('HINCRBY', KEYS[2], 'config_version', 1)
redis.call('HSET', KEYS[2], unpack(ARGV, 2))
redis.call('HSET', KEYS[1], 'updated_at', now_ms(), unpack(ARGV, 2))
return version
