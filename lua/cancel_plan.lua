-- Stops a planned meeting before its time: no bot is ever sent to it by itself. docs/architecture.md, "A meeting's
-- state": "cancelled before its time". Repeating it changes nothing.
--
-- flags: allow-oom
--
-- KEYS[1]   meeting_key   usher:{pX}:meeting:<meeting_id>                hash: the meeting
-- KEYS[2]   plans_key     usher:{pX}:plans                               zset: when a bot is to be sent (ms) -> plan
-- KEYS[3]   planned_key   usher:{pX}:ws:<workspace_id>:planned:<room>    zset: time (ms) -> meeting_id
-- KEYS[4]   events_key    usher:{pX}:events                              stream: what happened
-- KEYS[5]   ended_key     usher:{pX}:ended                               zset: end of the meeting (ms) -> meeting_id
-- KEYS[6]   webhooks_key  usher:{pX}:ws:<workspace_id>:webhooks          zset: when it was made (ms) -> webhook_id
-- KEYS[7]   outbox_key    usher:{pX}:outbox                              stream: what webhooks are to be told of
-- KEYS[8]   operator_key  usher:{pX}:operator                            hash: the operator's endpoint, if there is one
-- KEYS[9]   feed_key      usher:{pX}:meeting:<meeting_id>:feed           stream: what its viewers are told
-- KEYS[10]  feeds_key     usher:{pX}:ws:<workspace_id>:feed              stream: what viewers of all meetings are told
-- KEYS[11]  room_key      usher:{pX}:ws:<workspace_id>:room:<room>       string: the meeting whose bot holds the room
-- KEYS[12]  other_key     usher:{pX}:ws:<workspace_id>:room:<name>       string: that of its other name; else room_key
-- KEYS[13]  request_key?  usher:{pX}:ws:<workspace_id>:request:<which>  string: what the request did
-- ARGV[1]  meeting_id  text
-- ARGV[2]  plan        text: how the meeting is named among the plans
-- ARGV[3]  max_events  integer: length at which the event stream is trimmed
-- ARGV[4]  why         text: who asked, for the event
-- ARGV[5]  request_ms  integer: time to live of what the request did, ms
--
-- Returns 'cancelled'    (change)
--         'not_planned'  (change): no bot is to be sent to it (any more)
--         'done_before'  the request was made before, and did something
--         'room_held'    a bot is there by now, which is the one to be stopped

-- include: time
-- include: feed
-- include: events
-- include: plans

local meeting_key, plans_key, planned_key, events_key, ended_key, webhooks_key, outbox_key, operator_key,
  feed_key, feeds_key, room_key, other_key, request_key = unpack(KEYS)
local meeting_id, plan, max_events, why, request_ms = unpack(ARGV)

if request_key and redis.call('EXISTS', request_key) == 1 then return 'done_before' end
if redis.call('EXISTS', room_key, other_key) > 0 then return 'room_held' end
local meeting = redis.call('HMGET', meeting_key, 'status', 'bot_status')
local planning = {plans = plans_key, planned = planned_key}
if meeting[1] ~= 'INITIAL' or meeting[2] or not redis.call('ZSCORE', plans_key, plan) then
  disarm(planning, plan, meeting_id)
  return 'not_planned'
end
local at_ms = now_ms()
local at = string.format('%d', at_ms)
local keys = {meeting = meeting_key, events = events_key, webhooks = webhooks_key, outbox = outbox_key,
  operators = operator_key, feed = feed_key, feeds = feeds_key}
record_change(keys, max_events, at_ms, 'completed', meeting_id, '', 'INITIAL/', 'OFFLINE/completed', why, nil,
  {updated_at = at, completion_reason = 'stopped'})
redis.call('ZADD', ended_key, at, meeting_id)
redis.call('HSET', meeting_key, 'status', 'OFFLINE', 'bot_status', 'completed', 'completion_reason', 'stopped',
  'updated_at', at)
if request_key then redis.call('SET', request_key, '0 - ' .. meeting_id, 'PX', request_ms) end
disarm(planning, plan, meeting_id)
return 'cancelled'
