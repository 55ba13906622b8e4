-- Writes the record of a new meeting, in INITIAL and without a bot. docs/architecture.md, "A meeting's state":
-- "created".
--
-- KEYS[1]  usher:{pX}:ws:<workspace_id>                  hash: the workspace
-- KEYS[2]  usher:{pX}:ws:<workspace_id>:meetings         zset: number -> meeting_id
-- KEYS[3]  usher:{pX}:ws:<workspace_id>:latest:<room>    string: the newest meeting of the room
-- KEYS[4]  usher:{pX}:meeting:<meeting_id>               hash: the meeting
-- KEYS[5]  usher:{pX}:events                             stream: what happened
-- KEYS[6]  usher:{pX}:ws:<workspace_id>:held:<room>      string: the meeting of the room that a bot was in last
-- KEYS[7]  usher:{pX}:ws:<workspace_id>:names            hash: another name of a room -> the room
-- KEYS[8]  usher:{pX}:ws:<workspace_id>:request:<which>  string: what the request did; absent if it has no key
-- ARGV[1]  meeting_id
-- ARGV[2]  number
-- ARGV[3]  length at which the event stream is trimmed
-- ARGV[4]  who asked, for the event
-- ARGV[5]  time to live of what the request did, ms
-- ARGV[6]  room
-- ARGV[7]  other names of the room, which are to lead to it, with a space before each
-- ARGV[8]  names that are to lead nowhere any more, likewise
-- ARGV[9]  the most meetings of a workspace that has no limit of its own
-- ARGV[10] the most bytes of them, likewise
-- ARGV[11...]  further fields of the meeting, each followed by its value
--
-- Returns {1, created_at ms}  written
--         {2, meeting_id}     done before, by a request with the same key
--         {0}                 there is no such workspace
--         {-1}                there is a meeting of this id
--         {-2, limit}         the workspace has as many meetings as it may have
--         {-3, limit}         its meetings would take more bytes than they may

-- include: time
-- include: events
-- include: quota

local earlier = KEYS[8] and redis.call('GET', KEYS[8])
if earlier then return {2, earlier} end
if redis.call('EXISTS', KEYS[1]) == 0 then return {0} end
if redis.call('EXISTS', KEYS[4]) == 1 then return {-1} end
local keys = {workspace = KEYS[1], meetings = KEYS[2], meeting = KEYS[4]}
local most = passed_count(keys, ARGV[9])
if most then return {-2, most} end
local bytes = bytes_of({unpack(ARGV, 11)})
local limit = passed_limit(KEYS[1], ARGV[10], bytes)
if limit then return {-3, limit} end

for name in string.gmatch(ARGV[8], '%S+') do redis.call('HDEL', KEYS[7], name) end
for name in string.gmatch(ARGV[7], '%S+') do redis.call('HSET', KEYS[7], name, ARGV[6]) end
local at_ms = now_ms()
redis.call('HSET', KEYS[4], 'id', ARGV[1], 'number', ARGV[2], 'status', 'INITIAL', 'created_at', at_ms,
  unpack(ARGV, 11))
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
local previous = redis.call('GET', KEYS[3])
if previous then
  -- What the room stands for again should this plan be removed.
  redis.call('HSET', KEYS[4], 'previous', previous)
  -- Of a room that is older than this key, the newest meeting is the one that may have been held.
  redis.call('SET', KEYS[6], previous, 'NX')
end
redis.call('SET', KEYS[3], ARGV[1])
count_bytes_of(keys, bytes)
record_event(KEYS[5], ARGV[3], at_ms, 'created', ARGV[1], '', '/', 'INITIAL/', ARGV[4])
if KEYS[8] then redis.call('SET', KEYS[8], ARGV[1], 'PX', ARGV[5]) end
return {1, at_ms}
