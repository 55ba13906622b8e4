-- Changes a calendar, or asks alone for its feed to be read now: what is under way is followed by another time.
--
-- KEYS[1]  calendar_key  usher:{pX}:ws:<workspace_id>:calendar:<id>  hash: the calendar
-- KEYS[2]  due_key       usher:{pX}:calendars                        zset: when its feed is read (ms) -> calendar
-- ARGV[1]     member      text: `<workspace_id> <calendar_id>`
-- ARGV[2]     is_removed  flag: it is removed, once the plans that were made of it are
-- ARGV[3]     cleared     text: fields that are removed, with a space before each
-- ARGV[4]     least_ms    integer: how long after a reading it is read again at the earliest, ms
-- ARGV[5...]  fields      pairs: fields, each followed by its value
--
-- Returns {'changed', asked_at: integer}  (change)
--         {'unknown_calendar'}            there is no such calendar

-- include: time

local calendar_key, due_key = unpack(KEYS)
local member, is_removed, cleared, least_ms = unpack(ARGV, 1, 4)
local fields = {unpack(ARGV, 5)}

local calendar = redis.call('HMGET', calendar_key, 'id', 'removed', 'lease_end', 'synced_at')
if not calendar[1] or calendar[2] then return {'unknown_calendar'} end
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
