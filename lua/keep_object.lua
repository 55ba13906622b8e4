-- Keeps a part of an object of the archive in Redis itself, as long as its node may move that meeting.
--
-- flags: allow-oom
--
-- KEYS[1]  meeting_key  usher:{pX}:meeting:<meeting_id>                  hash: the meeting
-- KEYS[2]  object_key   usher:{pX}:meeting:<meeting_id>:object:<object>  hash: number of a part -> the part, in Base64
-- ARGV[1]  object  text: which of the meeting's
-- ARGV[2]  part    integer: its number, from 0 on
-- ARGV[3]  bytes   text: in Base64
--
-- Returns 'kept'       (change)
--         'not_yours'  another node moves the meeting, or it was deleted

local meeting_key, object_key = unpack(KEYS)
local object, part, bytes = unpack(ARGV)

if redis.call('HGET', meeting_key, 'moving') ~= object then return 'not_yours' end
redis.call('HSET', object_key, part, bytes)
return 'kept'
