-- Writes the record of a new meeting, in INITIAL and without a bot: docs/architecture.md, "A meeting's state".
--
-- KEYS[1]   workspace_key  usher:{pX}:ws:<workspace_id>                  hash: the workspace
-- KEYS[2]   meetings_key   usher:{pX}:ws:<workspace_id>:meetings         zset: number -> meeting_id
-- KEYS[3]   latest_key     usher:{pX}:ws:<workspace_id>:latest:<room>    string: the newest meeting of the room
-- KEYS[4]   meeting_key    usher:{pX}:meeting:<meeting_id>               hash: the meeting
-- KEYS[5]   events_key     usher:{pX}:events                             stream: what happened
-- KEYS[6]   held_key       usher:{pX}:ws:<workspace_id>:held:<room>      string: the one that a bot was in last
-- KEYS[7]   names_key      usher:{pX}:ws:<workspace_id>:names            hash: another name of a room -> the room
-- KEYS[8]   plans_key      usher:{pX}:plans                              zset: when a bot is to be sent (ms) -> plan
-- KEYS[9]   planned_key    usher:{pX}:ws:<workspace_id>:planned:<room>   zset: time (ms) -> meeting_id
-- KEYS[10]  dedup_key      usher:{pX}:ws:<workspace_id>:dedup:<key>      string: the one with the key; else latest_key
-- KEYS[11]  calendar_key   usher:{pX}:ws:<workspace_id>:calendar:<id>    hash: whose plan it is; else workspace_key
-- KEYS[12]  occurrences_key  usher:{pX}:ws:<workspace_id>:calendar:<id>:planned  hash: occurrence -> its plan; likewise
-- KEYS[13]  webhooks_key   usher:{pX}:ws:<workspace_id>:webhooks         zset: when it was made (ms) -> webhook_id
-- KEYS[14]  outbox_key     usher:{pX}:outbox                             stream: what webhooks are to be told of
-- KEYS[15]  operator_key   usher:{pX}:operator                           hash: the operator's endpoint, if there is one
-- KEYS[16]  request_key?   usher:{pX}:ws:<workspace_id>:request:<which>  string: what the request did
-- ARGV[1]      meeting_id            text
-- ARGV[2]      number                integer
-- ARGV[3]      max_events            integer: length at which the event stream is trimmed
-- ARGV[4]      why                   text: who asked, for the event
-- ARGV[5]      request_ms            integer: time to live of what the request did, ms
-- ARGV[6]      room                  text
-- ARGV[7]      names                 text: other names of the room, which are to lead to it, with a space before each
-- ARGV[8]      forgotten             text: names that are to lead nowhere any more, likewise
-- ARGV[9]      default_max_meetings  integer: the most meetings of a workspace that has no limit of its own
-- ARGV[10]     default_max_bytes     integer: the most bytes of them, likewise
-- ARGV[11]     plan                  text: how the meeting is named among the plans
-- ARGV[12]     late_ms               integer: how long after its time no bot is sent any more, ms
-- ARGV[13]     scheduled_at          integer?: its time (ms), if it has one
-- ARGV[14]     due                   integer?: when a bot is sent to it (ms), if one is
-- ARGV[15]     owner                 text?: the meeting that was seen to have the deduplication key
-- ARGV[16]     dedup_ms              integer: time to live of that key, ms; 0: there is none
-- ARGV[17]     lease_end             text?: end of the lease of the calendar whose plan it is, ms
-- ARGV[18]     occurrence            text?: which of the calendar's it is
-- ARGV[19]     entry                 text?: what is noted of that
-- ARGV[20...]  fields                pairs: further fields of the meeting, each followed by its value
--
-- Returns {'created', created_at: integer}       (change)
--         {'repeated', meeting_id: text}         done before, by a request with the same key
--         {'unknown_workspace'}                  there is no such workspace
--         {'id_taken'}                           there is a meeting of this id
--         {'too_many_meetings', limit: integer}  the workspace has as many meetings as it may have
--         {'workspace_full', limit: integer}     its meetings would take more bytes than they may
--         {'odd_time'}                           it is too late for its time, or that is more than a year ahead
--         {'planned_already', meeting_id: text}  another meeting of the room is planned for the same time
--         {'look_again'}                         another meeting has the deduplication key now
--         {'not_yours'}                          the calendar's lease is another's (any more)

-- include: time
-- include: feed
-- include: events
-- include: quota
-- include: plans
-- include: records
-- include: calendars

local workspace_key, meetings_key, latest_key, meeting_key, events_key, held_key, names_key, plans_key, planned_key,
  dedup_key, calendar_key, occurrences_key, webhooks_key, outbox_key, operator_key, request_key = unpack(KEYS)
local meeting_id, number, max_events, why, request_ms, room, names, forgotten, default_max_meetings, default_max_bytes,
  plan, late_ms, scheduled_at, due, owner, dedup_ms, lease_end, occurrence, entry = unpack(ARGV, 1, 19)
local fields = {unpack(ARGV, 20)}

local earlier = request_key and redis.call('GET', request_key)
if earlier then return {'repeated', earlier} end
if occurrence ~= '' and not has_lease(calendar_key, lease_end) then return {'not_yours'} end
if redis.call('EXISTS', workspace_key) == 0 then return {'unknown_workspace'} end
if redis.call('EXISTS', meeting_key) == 1 then return {'id_taken'} end
if dedup_ms ~= '0' and (redis.call('GET', dedup_key) or '') ~= owner then return {'look_again'} end
local at_ms = now_ms()
if scheduled_at ~= '' and is_odd_time(scheduled_at, late_ms, at_ms) then return {'odd_time'} end
local planning = {plans = plans_key, planned = planned_key}
local other = due ~= '' and same_time(planning, scheduled_at, meeting_id)
if other then return {'planned_already', other} end
local keys = {workspace = workspace_key, meetings = meetings_key, meeting = meeting_key, latest = latest_key,
  events = events_key, webhooks = webhooks_key, outbox = outbox_key, operators = operator_key}
local most = passed_count(keys, default_max_meetings)
if most then return {'too_many_meetings', most} end
local bytes = bytes_of(fields)
local limit = passed_limit(workspace_key, default_max_bytes, bytes)
if limit then return {'workspace_full', limit} end
if occurrence ~= '' then redis.call('HSET', occurrences_key, occurrence, entry) end
if due ~= '' then arm(planning, plan, meeting_id, scheduled_at, due) end
set_names(names_key, room, names, forgotten)
local previous = redis.call('GET', latest_key)
make_record(keys, meeting_id, number, at_ms)
redis.call('HSET', meeting_key, unpack(fields))
if previous then
  -- What the room stands for again should this plan be removed.
  redis.call('HSET', meeting_key, 'previous', previous)
  -- Of a room that is older than this key, the newest meeting is the one that may have been held.
  redis.call('SET', held_key, previous, 'NX')
end
count_bytes_of(keys, bytes)
record_event(keys, max_events, at_ms, 'created', meeting_id, '', '/', 'INITIAL/', why)
if scheduled_at ~= '' then record_time(keys, max_events, at_ms, meeting_id, why) end
if dedup_ms ~= '0' then redis.call('SET', dedup_key, meeting_id, 'PX', dedup_ms) end
if request_key then redis.call('SET', request_key, meeting_id, 'PX', request_ms) end
return {'created', at_ms}
