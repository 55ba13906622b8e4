-- Changes a calendar, or asks alone for its feed to be read now: what is under way is followed by another time. Where a
-- meeting is gone that it shared, that is forgotten with it, so that it plans one of its own.
--
-- KEYS[1]  calendar_key  usher:{pX}:ws:<workspace_id>:calendar:<id>  hash: the calendar
-- KEYS[2]  due_key       usher:{pX}:calendars                        zset: when its feed is read (ms) -> calendar
-- KEYS[3]  occurrences_key  usher:{pX}:ws:<workspace_id>:calendar:<id>:planned  hash: occurrence -> its plan
-- ARGV[1]     member      text: `<workspace_id> <calendar_id>`
-- ARGV[2]     is_removed  flag: it is removed, once the plans that were made of it are
-- ARGV[3]     cleared     text: fields that are removed, with a space before each
-- ARGV[4]     least_ms    integer: how long after a reading it is read again at the earliest, ms
-- ARGV[5]     occurrence  text?: what shared a meeting that is gone
-- ARGV[6]     shared      text?: the meeting
-- ARGV[7...]  fields      pairs: fields, each followed by its value
--
-- Returns {'changed', asked_at: integer}  (change)
--         {'unknown_calendar'}            there is no such calendar

-- include: time

local calendar_key, due_key, occurrences_key = unpack(KEYS)
local member, is_removed, cleared, least_ms, occurrence, shared = unpack(ARGV, 1, 6)
local fields = {unpack(ARGV, 7)}

local calendar = redis.call('HMGET', calendar_key, 'id', 'removed', 'lease_end', 'synced_at')
if not calendar[1] or calendar[2] then return {'unknown_calendar'} end
local entry = occurrence ~= '' and redis.call('HGET', occurrences_key, occurrence) or ''
-- Not if it has planned another one since.
if string.sub(entry, 1, #shared + 8) == shared .. ' shared ' then
  redis.call('HDEL', occurrences_key, occurrence)
end
local at_ms = now_ms()
redis.call('HSET', calendar_key, 'asked_at', string.format('%d', at_ms), unpack(fields))
for name in string.gmatch(cleared, '%S+') do redis.call('HDEL', calendar_key, name) end
if is_removed == '1' then redis.call('HSET', calendar_key, 'removed', '1', 'enabled', '0') end
if (tonumber(calendar[3] or '') or 0) > at_ms then
  redis.call('HSET', calendar_key, 'again', '1')
else
  local synced_ms = tonumber(calendar[4] or '') or 0
  local waits = is_removed ~= '1' and synced_ms <= at_ms
  redis.call('ZADD', due_key, waits and math.max(at_ms, synced_ms + tonumber(least_ms)) or at_ms, member)
end
return {'changed', at_ms}
