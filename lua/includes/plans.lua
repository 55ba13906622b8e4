-- Planned meetings. `keys` has the members plans, the partition's zset of when a bot is to be sent (ms) -> plan, and
-- planned, the room's zset of its meetings' times (ms) -> meeting_id; `plan` is `<workspace_id> <meeting_id>`.

-- Has a meeting be sent a bot by itself, at the time `due`.
local function arm(keys, plan, meeting_id, scheduled_at, due)
  redis.call('ZADD', keys.plans, due, plan)
  redis.call('ZADD', keys.planned, scheduled_at, meeting_id)
end

local function disarm(keys, plan, meeting_id)
  redis.call('ZREM', keys.planned, meeting_id)
  redis.call('ZREM', keys.plans, plan)
end

-- Another meeting of the room that is planned for the same time.
local function same_time(keys, scheduled_at, meeting_id)
  for _, other in ipairs(redis.call('ZRANGEBYSCORE', keys.planned, scheduled_at, scheduled_at, 'LIMIT', 0, 2)) do
    if other ~= meeting_id then return other end
  end
end

-- Whether it is too late to send a bot to what was planned for a time (ms, as text).
local function is_missed(scheduled_at, late_ms, at_ms)
  return at_ms > (tonumber(scheduled_at) or 0) + late_ms
end

-- The same, or whether it is more than a year until then.
local function is_odd_time(scheduled_at, late_ms, at_ms)
  return is_missed(scheduled_at, late_ms, at_ms) or tonumber(scheduled_at) > at_ms + 366 * 86400000
end
