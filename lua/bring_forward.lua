-- Brings forward what waits to be told to a webhook by as much as the clock was set back, and no further than to now.
-- What may wait for no more than the end of a lease stays. Repeating it lets it be told earlier still. It looks at
-- some at once, the earliest first: they come before all that is looked at next.
--
-- flags: allow-oom
--
-- KEYS[1]  pending_key  usher:{pX}:deliveries                          zset: when something is due (ms) -> webhook
-- KEYS[2]  due_key      usher:{pX}:ws:<workspace_id>:webhook:<id>:due  zset: when it is due (ms) -> event_id
-- ARGV[1]  member    text: `<workspace_id> <webhook_id>`
-- ARGV[2]  back_ms   integer: by how much the clock was set back, ms
-- ARGV[3]  lease_ms  integer: the longest lease of a delivery, ms
-- ARGV[4]  from_ms   integer: what is due before that was looked at, ms, or 0
-- ARGV[5]  most      integer: how many events are looked at
--
-- Returns next: integer  from when on what is due is still to be looked at, ms; 0: that was all

-- include: time
-- include: deliveries

local pending_key, due_key = unpack(KEYS)
local member, back_ms, lease_ms, from_ms, most = unpack(ARGV)

local at_ms = now_ms()
local first = string.format('%.0f', math.max(tonumber(from_ms), at_ms + tonumber(lease_ms) + 1))
local ahead = redis.call('ZRANGEBYSCORE', due_key, first, '+inf', 'WITHSCORES', 'LIMIT', 0, most)
for index = 1, #ahead, 2 do
  local due_ms = math.max(at_ms, tonumber(ahead[index + 1]) - tonumber(back_ms))
  redis.call('ZADD', due_key, string.format('%.0f', due_ms), ahead[index])
end
local keys = {pending = pending_key, due = due_key}
note_next(keys, member, at_ms)
return #ahead / 2 < tonumber(most) and 0 or tonumber(ahead[#ahead])
