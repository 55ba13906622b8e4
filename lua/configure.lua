-- Changes the configuration of the bot that is in a room (PUT /bots/.../config). It reaches the bot by the answer to
-- its lease, should the message to it be lost.
--
-- flags: allow-oom
--
-- KEYS[1]  meeting_key  usher:{pX}:meeting:<meeting_id>  hash: the meeting
-- KEYS[2]  bot_key      usher:{pX}:bot:<bot_id>          hash: the bot
-- ARGV[1]     bot_id  text
-- ARGV[2...]  fields  pairs: fields, each followed by its value: language, task, bot_name; at least one
--
-- Returns {'configured', config_version: integer}  (change): the new one
--         {'not_in_room'}                          this bot is not in the room

-- include: time

local meeting_key, bot_key = unpack(KEYS)
local bot_id = unpack(ARGV, 1, 1)
local fields = {unpack(ARGV, 2)}

local meeting = redis.call('HMGET', meeting_key, 'bot_id', 'bot_status')
if meeting[1] ~= bot_id or meeting[2] ~= 'active' then return {'not_in_room'} end
local version = redis.call('HINCRBY', bot_key, 'config_version', 1)
redis.call('HSET', bot_key, unpack(fields))
redis.call('HSET', meeting_key, 'updated_at', now_ms(), unpack(fields))
return {'configured', version}
