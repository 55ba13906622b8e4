-- Changes a planned meeting that has had no bot yet: its time, whether a bot is sent then, and what that bot is told
-- (PATCH /meetings). With a new time it counts as missed no more.
--
-- KEYS[1]   meeting_key    usher:{pX}:meeting:<meeting_id>              hash: the meeting
-- KEYS[2]   workspace_key  usher:{pX}:ws:<workspace_id>                 hash: the workspace
-- KEYS[3]   plans_key      usher:{pX}:plans                             zset: when a bot is to be sent (ms) -> plan
-- KEYS[4]   planned_key    usher:{pX}:ws:<workspace_id>:planned:<room>  zset: time (ms) -> meeting_id
-- KEYS[5]   calendar_key   usher:{pX}:ws:<workspace_id>:calendar:<id>   hash: whose plan it is; else workspace_key
-- KEYS[6]   occurrences_key  usher:{pX}:ws:<workspace_id>:calendar:<id>:planned  hash: occurrence -> its plan; likewise
-- KEYS[7]   events_key     usher:{pX}:events                            stream: what happened
-- KEYS[8]   webhooks_key   usher:{pX}:ws:<workspace_id>:webhooks        zset: when it was made (ms) -> webhook_id
-- KEYS[9]   outbox_key     usher:{pX}:outbox                            stream: what webhooks are to be told of
-- KEYS[10]  operator_key   usher:{pX}:operator                          hash: the operator's endpoint, if there is one
-- KEYS[11]  dedup_key      usher:{pX}:ws:<workspace_id>:dedup:<key>     string: who has its key; else workspace_key
-- ARGV[1]     meeting_id         text
-- ARGV[2]     plan               text: how the meeting is named among the plans
-- ARGV[3]     lead_ms            integer: how long before its time a bot is sent, ms
-- ARGV[4]     late_ms            integer: how long after it none is sent any more, ms
-- ARGV[5]     scheduled_at       integer?: the new time, if it gets one
-- ARGV[6]     is_cleared         flag: it gets none, and has none any more
-- ARGV[7]     auto_join          text?: `true` or `false`, if that is changed
-- ARGV[8]     default_max_bytes  integer: the most bytes of all meetings of a workspace that has no limit of its own
-- ARGV[9]     cleared            text: other fields that are removed, with a space before each
-- ARGV[10]    lease_end          text?: end of the lease of the calendar whose plan it is, ms
-- ARGV[11]    occurrence         text?: which of the calendar's it is
-- ARGV[12]    entry              text?: what is noted of that
-- ARGV[13]    dedup_ms           integer: least time to live of its deduplication key, ms; 0: it has none
-- ARGV[14]    max_events         integer: length at which the event stream is trimmed
-- ARGV[15]    why                text: who asked, for the event
-- ARGV[16...]  fields            pairs: fields, each followed by its value
--
-- Returns {'changed'}                            (change)
--         {'unknown_meeting'}                    there is no such meeting
--         {'not_planned'}                        a bot was sent to it, or it was cancelled
--         {'odd_time'}                           it is too late for its time, or that is more than a year ahead
--         {'planned_already', meeting_id: text}  another meeting of the room is planned for the same time
--         {'workspace_full'}                     its workspace would have too many bytes
--         {'not_yours'}                          the calendar's lease is another's (any more)

-- include: time
-- include: feed
-- include: events
-- include: quota
-- include: plans
-- include: calendars

local meeting_key, workspace_key, plans_key, planned_key, calendar_key, occurrences_key,
  events_key, webhooks_key, outbox_key, operator_key, dedup_key = unpack(KEYS)
local meeting_id, plan, lead_ms, late_ms, scheduled_at, is_cleared, auto_join, default_max_bytes, cleared,
  lease_end, occurrence, entry, dedup_ms, max_events, why = unpack(ARGV, 1, 15)
local fields = {unpack(ARGV, 16)}

if occurrence ~= '' and not has_lease(calendar_key, lease_end) then return {'not_yours'} end
local meeting = redis.call('HMGET', meeting_key, 'status', 'bot_status', 'scheduled_at', 'auto_join', 'missed_at')
if not meeting[1] then return {'unknown_meeting'} end
if meeting[1] ~= 'INITIAL' or meeting[2] then return {'not_planned'} end
local at_ms = now_ms()
local is_new = scheduled_at ~= ''
local time = is_new and scheduled_at or is_cleared == '0' and tonumber(meeting[3] or '') and meeting[3]
local is_wanted = (auto_join ~= '' and auto_join or meeting[4]) ~= 'false'
local is_armed = time and is_wanted and (is_new or not meeting[5])
if (is_new or is_armed and auto_join ~= '') and is_odd_time(time, late_ms, at_ms) then return {'odd_time'} end
local keys = {workspace = workspace_key, meeting = meeting_key, events = events_key, webhooks = webhooks_key,
  outbox = outbox_key, operators = operator_key}
local planning = {plans = plans_key, planned = planned_key}
local other = is_armed and same_time(planning, time, meeting_id)
if other then return {'planned_already', other} end
local more = growth_of(meeting_key, fields)
for name in string.gmatch(cleared, '%S+') do more = more - redis.call('HSTRLEN', meeting_key, name) end
if passed_limit(workspace_key, default_max_bytes, more) then return {'workspace_full'} end
local has_key = dedup_ms ~= '0' and redis.call('GET', dedup_key) == meeting_id

if occurrence ~= '' then redis.call('HSET', occurrences_key, occurrence, entry) end
if is_armed then
  arm(planning, plan, meeting_id, time, string.format('%.0f', time - lead_ms))
else
  disarm(planning, plan, meeting_id)
  -- Of one that was missed it says why.
  if not meeting[5] then redis.call('HDEL', meeting_key, 'auto_join_error') end
end
if is_new or is_cleared == '1' then
  redis.call('HDEL', meeting_key, 'scheduled_at', 'missed_at', 'auto_join_error')
end
for name in string.gmatch(cleared, '%S+') do redis.call('HDEL', meeting_key, name) end
redis.call('HSET', meeting_key, 'updated_at', string.format('%d', at_ms), unpack(fields))
if is_new then redis.call('HSET', meeting_key, 'scheduled_at', scheduled_at) end
if auto_join ~= '' then redis.call('HSET', meeting_key, 'auto_join', auto_join) end
count_bytes_of(keys, more)
if has_key and redis.call('PTTL', dedup_key) < tonumber(dedup_ms) then redis.call('PEXPIRE', dedup_key, dedup_ms) end
if is_new and scheduled_at ~= meeting[3] then record_time(keys, max_events, at_ms, meeting_id, why) end
return {'changed'}
