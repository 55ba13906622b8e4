-- Notes what came of the reading of a calendar's feed, if it is still the caller's, and when it is read next.
--
-- flags: allow-oom
--
-- KEYS[1]  calendar_key   usher:{pX}:ws:<workspace_id>:calendar:<id>         hash: the calendar
-- KEYS[2]  due_key        usher:{pX}:calendars                               zset: when it is read (ms) -> calendar
-- KEYS[3]  calendars_key  usher:{pX}:ws:<workspace_id>:calendars:<user_id>   zset: when it was made (ms) -> calendar_id
-- KEYS[4]  planned_key    usher:{pX}:ws:<workspace_id>:calendar:<id>:planned  hash: occurrence -> what is planned of it
-- ARGV[1]     member       text: `<workspace_id> <calendar_id>`
-- ARGV[2]     calendar_id  text
-- ARGV[3]     lease_end    text: end of the lease, ms
-- ARGV[4]     pause_ms     integer: after how long it is read next, ms; 0: not by itself
-- ARGV[5]     is_gone      flag: whether the calendar ends with it
-- ARGV[6]     least_ms     integer: after how long it is read again where that is asked for, ms
-- ARGV[7]     cleared      text: fields that are removed, with a space before each
-- ARGV[8...]  fields       pairs: fields, each followed by its value
--
-- Returns 'noted'      (change)
--         'not_yours'  the lease is another's (any more): nothing is noted

-- include: time

local calendar_key, due_key, calendars_key, planned_key = unpack(KEYS)
local member, calendar_id, lease_end, pause_ms, is_gone, least_ms, cleared = unpack(ARGV, 1, 7)
local fields = {unpack(ARGV, 8)}

local calendar = redis.call('HMGET', calendar_key, 'lease_end', 'again', 'enabled', 'asked_at', 'synced_at')
if calendar[1] ~= lease_end then return 'not_yours' end
if is_gone == '1' then
  redis.call('ZREM', due_key, member)
  redis.call('ZREM', calendars_key, calendar_id)
  redis.call('UNLINK', calendar_key, planned_key)
  return 'noted'
end
local at_ms = now_ms()
for name in string.gmatch(cleared, '%S+') do redis.call('HDEL', calendar_key, name) end
if #fields > 0 then redis.call('HSET', calendar_key, unpack(fields)) end
redis.call('HDEL', calendar_key, 'lease_end', 'again')
if calendar[2] then
  -- It may have been changed meanwhile: all of its feed is read.
  redis.call('HDEL', calendar_key, 'etag')
  redis.call('ZADD', due_key, at_ms + tonumber(least_ms), member)
  return 'noted'
end
-- One that is disabled is looked at once in a while, and not read.
if calendar[3] == '1' or (tonumber(calendar[4] or '') or 0) > (tonumber(calendar[5] or '') or 0) then
  redis.call('HSET', calendar_key, 'synced_at', string.format('%d', at_ms))
end
if pause_ms == '0' then
  redis.call('ZREM', due_key, member)
else
  redis.call('ZADD', due_key, string.format('%.0f', at_ms + tonumber(pause_ms)), member)
end
return 'noted'
