-- Takes a calendar whose feed is due to be read, with a lease: until it ends, no other node does.
--
-- KEYS[1]  calendar_key  usher:{pX}:ws:<workspace_id>:calendar:<id>  hash: the calendar
-- KEYS[2]  due_key       usher:{pX}:calendars                        zset: when its feed is read (ms) -> calendar
-- ARGV[1]  member    text: `<workspace_id> <calendar_id>`
-- ARGV[2]  lease_ms  integer: the lease, ms
-- ARGV[3]  most_ms   integer: how long one is left alone at most, ms; one that is due later is due: the clock went back
--
-- Returns {'claimed', calendar: hash}  (change): its `lease_end` is the caller's
--         {'not_due'}                  another node has it, or there is no such calendar (any more)

-- include: time

local calendar_key, due_key = unpack(KEYS)
local member, lease_ms, most_ms = unpack(ARGV)

local at_ms = now_ms()
local due = redis.call('ZSCORE', due_key, member)
local wait_ms = due and tonumber(due) - at_ms
if not due or wait_ms > 0 and wait_ms <= tonumber(most_ms) then return {'not_due'} end
if redis.call('HEXISTS', calendar_key, 'id') == 0 then
  redis.call('ZREM', due_key, member)
  return {'not_due'}
end
local ends = string.format('%.0f', at_ms + tonumber(lease_ms))
redis.call('ZADD', due_key, ends, member)
redis.call('HSET', calendar_key, 'lease_end', ends)
redis.call('HDEL', calendar_key, 'again')
return {'claimed', redis.call('HGETALL', calendar_key)}
