-- Keeps the picture that a bot sent of the meeting's page, and what it says of that page, until the meeting goes or
-- newer ones of the workspace take its place. One for each meeting: its last.
--
-- KEYS[1]  meeting_key  usher:{pX}:meeting:<meeting_id>                    hash: the meeting
-- KEYS[2]  images_key   usher:{pX}:ws:<workspace_id>:screenshots           hash: meeting_id -> the picture, in Base64
-- KEYS[3]  order_key    usher:{pX}:ws:<workspace_id>:screenshots:order     zset: when it came (ms) -> meeting_id
-- ARGV[1]  meeting_id  text
-- ARGV[2]  bot_id      text
-- ARGV[3]  image       text: in Base64
-- ARGV[4]  outline     text
-- ARGV[5]  most        integer: how many a workspace has
-- ARGV[6]  keep_ms     integer: how long those of a workspace are kept after the last one, ms
--
-- Returns 'kept'
--         'stale'  it is not the meeting's bot, or what that left has been deleted

-- include: time

local meeting_key, images_key, order_key = unpack(KEYS)
local meeting_id, bot_id, image, outline, most, keep_ms = unpack(ARGV)

local meeting = redis.call('HMGET', meeting_key, 'bot_id', 'redacted_at', 'dispatched_at')
local redacted_at = tonumber(meeting[2] or '')
if meeting[1] ~= bot_id or redacted_at and redacted_at >= (tonumber(meeting[3] or '') or 0) then return 'stale' end
redis.call('HSET', images_key, meeting_id, image)
redis.call('ZADD', order_key, now_ms(), meeting_id)
for _, old in ipairs(redis.call('ZRANGE', order_key, 0, -1 - most)) do
  redis.call('HDEL', images_key, old)
  redis.call('ZREM', order_key, old)
end
redis.call('PEXPIRE', images_key, keep_ms)
redis.call('PEXPIRE', order_key, keep_ms)
redis.call('HSET', meeting_key, 'page_outline', bot_id .. ' ' .. outline)
return 'kept'
