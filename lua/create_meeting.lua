-- Writes the record of a new meeting, in INITIAL and without a bot. Section 4 of the design: "created".
--
-- KEYS[1]  usher:{pX}:ws:<workspace_id>                hash: the workspace
-- KEYS[2]  usher:{pX}:ws:<workspace_id>:meetings       zset: number -> meeting_id
-- KEYS[3]  usher:{pX}:ws:<workspace_id>:latest:<room>  string: the newest meeting of the room
-- KEYS[4]  usher:{pX}:meeting:<meeting_id>             hash: the meeting
-- KEYS[5]  usher:{pX}:events                           stream: what happened
-- ARGV[1]  meeting_id
-- ARGV[2]  number
-- ARGV[3]  length at which the event stream is trimmed
-- ARGV[4]  who asked, for the event
-- ARGV[5...]  further fields of the meeting, each followed by its value
--
-- Returns created_at in ms, 0 if there is no such workspace, -1 if there is a meeting of this id

-- include: time
-- include: events

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
if redis.call('EXISTS', KEYS[4]) == 1 then return -1 end

local at_ms = now_ms()
redis.call('HSET', KEYS[4], 'id', ARGV[1], 'number', ARGV[2], 'status', 'INITIAL', 'created_at', at_ms, unpack(ARGV, 5))
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
redis.call('SET', KEYS[3], ARGV[1])
record_event(KEYS[5], ARGV[3], at_ms, 'created', ARGV[1], '', '/', 'INITIAL/', ARGV[4])
return at_ms
