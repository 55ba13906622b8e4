-- Notes among the partition's webhooks when one has something to deliver next, or that it has nothing. `member` is
-- `<workspace_id> <webhook_id>`; `keys` has the members pending (the partition's) and due (the webhook's), both zsets;
-- `without` is an event that is due no more, and still there.
local function note_next(keys, member, not_before_ms, without)
  local due = redis.call('ZRANGE', keys.due, 0, 1, 'WITHSCORES')
  local next_ms = due[due[1] == without and 4 or 2]
  if next_ms then
    redis.call('ZADD', keys.pending, string.format('%.0f', math.max(tonumber(next_ms), not_before_ms)), member)
  else
    redis.call('ZREM', keys.pending, member)
  end
end

-- Forgets what a webhook's history has beyond its bounds. `keys` has the members done (zset) and history (hash).
local function trim_history(keys, at_ms, keep_ms, most)
  local excess = redis.call('ZCARD', keys.done) - most
  local oldest = redis.call('ZRANGE', keys.done, 0, 19, 'WITHSCORES')
  for index = 1, #oldest, 2 do
    if excess <= 0 and tonumber(oldest[index + 1]) + keep_ms > at_ms then return end
    local id = oldest[index]
    redis.call('HDEL', keys.history, id, id .. ' filed', id .. ' tries', id .. ' attempts', id .. ' answer')
    redis.call('ZREM', keys.done, id)
    excess = excess - 1
  end
end
