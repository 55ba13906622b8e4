-- Sends the bot of a planned meeting when its time has come: all of a dispatch at once, as request_bot.lua. What keeps
-- it from that is noted in the record and tried again, until it is too late: then the meeting counts as missed. Any
-- node may ask at any time, and as often as it likes. docs/architecture.md, "A meeting's state": "dispatch accepted".
--
-- KEYS[1]   workspace_key  usher:{pX}:ws:<workspace_id>                  hash: the workspace
-- KEYS[2]   inflight_key   usher:{pX}:ws:<workspace_id>:inflight:<room>  string: the bot_id in flight
-- KEYS[3]   room_key       usher:{pX}:ws:<workspace_id>:room:<room>      string: the meeting whose bot holds the room
-- KEYS[4]   bots_key       usher:{pX}:ws:<workspace_id>:bots             zset: dispatch time (ms) -> bot_id
-- KEYS[5]   meeting_key    usher:{pX}:meeting:<meeting_id>               hash: the meeting
-- KEYS[6]   bot_key        usher:{pX}:bot:<bot_id>                       hash: the new bot
-- KEYS[7]   dispatch_key   usher:{pX}:dispatch                           stream: dispatches to be claimed
-- KEYS[8]   events_key     usher:{pX}:events                             stream: what happened
-- KEYS[9]   webhooks_key   usher:{pX}:ws:<workspace_id>:webhooks         zset: when it was made (ms) -> webhook_id
-- KEYS[10]  outbox_key     usher:{pX}:outbox                             stream: what webhooks are to be told of
-- KEYS[11]  operator_key   usher:{pX}:operator                           hash: the operator's endpoint, if there is one
-- KEYS[12]  plans_key      usher:{pX}:plans                              zset: when a bot is to be sent (ms) -> plan
-- KEYS[13]  planned_key    usher:{pX}:ws:<workspace_id>:planned:<room>   zset: time (ms) -> meeting_id
-- KEYS[14]  ended_key      usher:{pX}:ended                              zset: end of the meeting (ms) -> meeting_id
-- KEYS[15]  feed_key       usher:{pX}:meeting:<meeting_id>:feed          stream: what its viewers are told
-- KEYS[16]  feeds_key      usher:{pX}:ws:<workspace_id>:feed             stream: what viewers of all meetings are told
-- KEYS[17]  names_key      usher:{pX}:ws:<workspace_id>:names            hash: another name of a room -> the room
-- KEYS[18]  other_key      usher:{pX}:ws:<workspace_id>:room:<name>      string: that of another name; else room_key
-- KEYS[19]  another_key    usher:{pX}:ws:<workspace_id>:room:<name>      string: the same of another name
-- ARGV[1]   meeting_id        text
-- ARGV[2]   plan              text: how the meeting is named among the plans
-- ARGV[3]   workspace_id      text
-- ARGV[4]   room              text
-- ARGV[5]   native_id         text: the room's id on its platform
-- ARGV[6]   bot_id            text
-- ARGV[7]   inflight_ms       integer: time to live of the in-flight key, ms
-- ARGV[8]   max_events        integer: length at which the event stream is trimmed
-- ARGV[9]   default_max_bots  integer: the limit of a workspace that has none of its own
-- ARGV[10]  late_ms           integer: how long after its time none is sent any more, ms
-- ARGV[11]  retry_ms          integer: after how long it is tried again, ms
-- ARGV[12]  traceparent       text: traceparent of what follows (W3C Trace Context)
--
-- Returns {'sent', epoch: integer}       (change)
--         {'not_due'}                    not yet, or not any more
--         {'served'}                     (change): it has had a bot, was cancelled or removed, or its workspace was
--         {'waits', reason: text}        (change): room_taken, as a bot is there, or too_many_bots, of the workspace
--         {'waits_still', reason: text}  (change): for the same reason as before
--         {'look_again'}                 the room has become a name of another
--         {'missed', reason: text}       (change): it is too late (told once); what kept it back, or too_late

-- include: time
-- include: feed
-- include: events
-- include: entry
-- include: send_bot
-- include: plans

local workspace_key, inflight_key, room_key, bots_key, meeting_key, bot_key, dispatch_key, events_key, webhooks_key,
  outbox_key, operator_key, plans_key, planned_key, ended_key, feed_key, feeds_key, names_key, other_key,
  another_key = unpack(KEYS)
local meeting_id, plan, workspace_id, room, native_id, bot_id, inflight_ms, max_events, default_max_bots, late_ms,
  retry_ms, traceparent = unpack(ARGV)

local at_ms = now_ms()
local due = redis.call('ZSCORE', plans_key, plan)
if not due or tonumber(due) > at_ms then return {'not_due'} end
local meeting = redis.call('HMGET', meeting_key, 'status', 'bot_status', 'scheduled_at', 'auto_join_error', 'missed_at')
local planning = {plans = plans_key, planned = planned_key}
local is_plan = meeting[1] == 'INITIAL' and not meeting[2] and tonumber(meeting[3] or '')
if not is_plan or redis.call('EXISTS', workspace_key) == 0 then
  disarm(planning, plan, meeting_id)
  return {'served'}
end
local at = string.format('%d', at_ms)
local keys = {inflight = inflight_key, room = room_key, bots = bots_key, meeting = meeting_key, bot = bot_key,
  dispatch = dispatch_key, events = events_key, webhooks = webhooks_key, outbox = outbox_key,
  operators = operator_key, feed = feed_key, feeds = feeds_key}
if is_missed(meeting[3], late_ms, at_ms) then
  local reason = meeting[4] or 'too_late'
  if not meeting[5] then
    redis.call('ZADD', ended_key, at, meeting_id)
    record_told(keys, max_events, at_ms, 'missed', meeting_id, '', 'INITIAL/', 'INITIAL/', reason, nil,
      {updated_at = at, missed_at = at, auto_join_error = reason})
    redis.call('HSET', meeting_key, 'missed_at', at, 'auto_join_error', reason, 'updated_at', at)
  end
  disarm(planning, plan, meeting_id)
  return {'missed', reason}
end
if redis.call('HEXISTS', names_key, room) == 1 then return {'look_again'} end
local limit = tonumber(redis.call('HGET', workspace_key, 'max_concurrent_bots') or default_max_bots)
local reason = redis.call('ZCARD', bots_key) >= limit and 'too_many_bots'
if redis.call('EXISTS', inflight_key, room_key, other_key, another_key) > 0 then reason = 'room_taken' end
if reason then
  redis.call('ZADD', plans_key, string.format('%.0f', at_ms + retry_ms), plan)
  if meeting[4] == reason then return {'waits_still', reason} end
  record_event(keys, max_events, at, 'not_sent', meeting_id, '', 'INITIAL/', 'INITIAL/', reason)
  redis.call('HSET', meeting_key, 'auto_join_error', reason, 'updated_at', at)
  return {'waits', reason}
end
local epoch = send_bot(keys, meeting_id, workspace_id, room, bot_id, inflight_ms, at_ms, 1, {max_length = max_events,
  what = 'dispatched', from = 'INITIAL/', why = 'plan', changed = {updated_at = at, auto_join_error = ''}},
  {parent = traceparent, state = ''})
redis.call('HSET', meeting_key, 'native_meeting_id', native_id, 'updated_at', at)
redis.call('HDEL', meeting_key, 'auto_join_error')
disarm(planning, plan, meeting_id)
return {'sent', epoch}
