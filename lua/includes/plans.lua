-- Has a planned meeting be sent a bot in its time, or not: by what its record says now. `keys` has the members meeting
-- (hash) and plans (the partition's zset); `plan` is how it is named there, `<workspace_id> <meeting_id>`.
local function arm(keys, plan, lead_ms)
  local meeting = redis.call('HMGET', keys.meeting, 'scheduled_at', 'auto_join')
  local scheduled_at = tonumber(meeting[1] or '')
  if scheduled_at and meeting[2] ~= 'false' then
    redis.call('ZADD', keys.plans, string.format('%.0f', scheduled_at - lead_ms), plan)
  else
    redis.call('ZREM', keys.plans, plan)
  end
end

-- Whether it is too late to send a bot to what was planned for a time (ms, as text).
local function is_missed(scheduled_at, late_ms, at_ms)
  return at_ms > (tonumber(scheduled_at or '') or 0) + late_ms
end
