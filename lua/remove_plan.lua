-- Removes a planned meeting that never had a bot (DELETE /meetings). What leads to it from outside its partition is
-- removed by the caller, afterwards: that this is still to be done is noted among the meetings that have ended.
--
-- flags: allow-oom
--
-- KEYS[1]   meeting_key    usher:{pX}:meeting:<meeting_id>             hash: the meeting
-- KEYS[2]   meetings_key   usher:{pX}:ws:<workspace_id>:meetings       zset: number -> meeting_id
-- KEYS[3]   latest_key     usher:{pX}:ws:<workspace_id>:latest:<room>  string: the newest meeting of the room
-- KEYS[4]   held_key       usher:{pX}:ws:<workspace_id>:held:<room>    string: the meeting of the room that a bot was
--                                                                      in last
-- KEYS[5]   names_key      usher:{pX}:ws:<workspace_id>:names          hash: another name of a room -> the room
-- KEYS[6]   ended_key      usher:{pX}:ended                            zset: end of the meeting (ms) -> meeting_id, or
--                                                                      what is noted
-- KEYS[7]   previous_key   usher:{pX}:meeting:<previous meeting_id>    hash: the room's newest meeting before, if there
--                                                                      was one
-- KEYS[8]   workspace_key  usher:{pX}:ws:<workspace_id>                hash: the workspace
-- KEYS[9]   plans_key      usher:{pX}:plans                            zset: when a bot is to be sent (ms) -> plan
-- KEYS[10]  planned_key    usher:{pX}:ws:<workspace_id>:planned:<room>  zset: time (ms) -> meeting_id
-- KEYS[11]  calendar_key   usher:{pX}:ws:<workspace_id>:calendar:<id>  hash: whose plan it is, if its feed has it
--                                                                      removed; else workspace_key
-- KEYS[12]  occurrences_key  usher:{pX}:ws:<workspace_id>:calendar:<id>:planned  hash: occurrence -> its plan; likewise
-- KEYS[13]  heir_key       usher:{pX}:meeting:<heir_id>                hash: the meeting that is the room's newest, and
--                                                                      that its names go to, if there is none before
-- KEYS[14]  dedup_key?     usher:{pX}:ws:<workspace_id>:dedup:<key>    string: the meeting with its deduplication key
-- ARGV[1]  meeting_id   text
-- ARGV[2]  previous_id  text?: id of the room's newest meeting before
-- ARGV[3]  note         text: what is noted
-- ARGV[4]  room         text
-- ARGV[5]  plan         text: how the meeting is named among the plans
-- ARGV[6]  lease_end    text?: end of the lease of the calendar, ms
-- ARGV[7]  occurrence   text?: which of the calendar's it is
-- ARGV[8]  entry        text?: what is noted of that
-- ARGV[9]  heir_id      text?: the room's other meeting that was held last, else that is planned next
--
-- Returns 'removed'          (change)
--         'unknown_meeting'  there is no such meeting
--         'not_planned'      it is planned no more, as a bot was sent to it
--         'not_yours'        the calendar's lease is another's (any more)
--         'look_again'       the room's other meeting is another one by now

-- include: time
-- include: quota
-- include: plans
-- include: calendars

local meeting_key, meetings_key, latest_key, held_key, names_key, ended_key, previous_key, workspace_key,
  plans_key, planned_key, calendar_key, occurrences_key, heir_key, dedup_key = unpack(KEYS)
local meeting_id, previous_id, note, room, plan, lease_end, occurrence, entry, heir_id = unpack(ARGV)

if occurrence ~= '' and not has_lease(calendar_key, lease_end) then return 'not_yours' end
local meeting = redis.call('HMGET', meeting_key, 'status', 'bot_status', 'names', 'bytes')
if not meeting[1] then return 'unknown_meeting' end
if meeting[1] ~= 'INITIAL' or meeting[2] then return 'not_planned' end
local held = redis.call('GET', held_key)
local next_id
for _, id in ipairs(redis.call('ZRANGE', planned_key, 0, 1)) do
  if id ~= meeting_id then next_id = next_id or id end
end
local other = held and held ~= meeting_id and held or next_id
if (other or '') ~= heir_id then return 'look_again' end
local has_key = dedup_key and redis.call('GET', dedup_key) == meeting_id
if occurrence ~= '' then redis.call('HSET', occurrences_key, occurrence, entry) end
local planning = {plans = plans_key, planned = planned_key}
disarm(planning, plan, meeting_id)
redis.call('ZADD', ended_key, now_ms(), note)
redis.call('DEL', meeting_key)
count_bytes(workspace_key, -(tonumber(meeting[4] or '') or 0))
redis.call('ZREM', meetings_key, meeting_id)
-- A room that is older than this key has noted a plan there, if there was nothing else.
if held == meeting_id then redis.call('DEL', held_key) end
if has_key then redis.call('DEL', dedup_key) end
if redis.call('GET', latest_key) == meeting_id then
  -- Names are forgotten with the newest meeting that has them.
  if previous_id ~= '' and redis.call('EXISTS', previous_key) == 1 then
    redis.call('SET', latest_key, previous_id)
    if meeting[3] then redis.call('HSET', previous_key, 'names', meeting[3]) end
  elseif other and redis.call('EXISTS', heir_key) == 1 then
    redis.call('SET', latest_key, other)
    if meeting[3] then redis.call('HSET', heir_key, 'names', meeting[3]) end
  else
    redis.call('DEL', latest_key)
    for name in string.gmatch(meeting[3] or '', '%S+') do
      if redis.call('HGET', names_key, name) == room then redis.call('HDEL', names_key, name) end
    end
  end
end
return 'removed'
