-- How many meetings a workspace has, and how many bytes users and bots wrote into them, against its limits. Its hash
-- has the sum of the bytes in the field `bytes`, and each meeting's hash its part, so that all of that is given back
-- with the meeting.

-- What a new meeting takes: its fields and values, and about as much as its keys, its bot and its end add.
local function bytes_of(fields)
  local bytes = 1000
  for _, text in ipairs(fields) do bytes = bytes + #text end
  return bytes
end

-- What fields take more than those of a meeting that they replace; negative if less.
local function growth_of(meeting_key, fields)
  local bytes = 0
  for index = 1, #fields, 2 do
    bytes = bytes + #fields[index + 1] - redis.call('HSTRLEN', meeting_key, fields[index])
  end
  return bytes
end

-- The limit, if there are as many meetings as there may be. `default_limit` is that of a workspace that has none of its
-- own.
local function passed_count(keys, default_limit)
  local limit = tonumber(redis.call('HGET', keys.workspace, 'max_meetings') or '') or tonumber(default_limit)
  return redis.call('ZCARD', keys.meetings) >= limit and limit
end

-- The limit, if so many bytes more would pass it.
local function passed_limit(workspace_key, default_limit, bytes)
  local workspace = redis.call('HMGET', workspace_key, 'max_bytes', 'bytes')
  local limit = tonumber(workspace[1] or '') or tonumber(default_limit)
  return bytes > 0 and (tonumber(workspace[2] or '') or 0) + bytes > limit and limit
end

-- The sum of a counter and bytes that come to it, or go if negative. What another hand spoilt counts as nothing, since
-- a command that fails would leave half of the script done.
local function sum_of(counter, bytes)
  local before = tonumber(counter or '') or 0
  -- Not even itself: no number.
  if before ~= before then before = 0 end
  return string.format('%.0f', math.max(0, math.min(before + bytes, 9007199254740992)))
end

-- Counts bytes that a workspace takes more, or less if negative; never of one that is gone.
local function count_bytes(workspace_key, bytes)
  if bytes == 0 or redis.call('EXISTS', workspace_key) == 0 then return end
  local sum = sum_of(redis.call('HGET', workspace_key, 'bytes'), bytes)
  if sum == '0' then
    redis.call('HDEL', workspace_key, 'bytes')
  else
    redis.call('HSET', workspace_key, 'bytes', sum)
  end
end

-- The same of a meeting, which gives back no more than it has.
local function count_bytes_of(keys, bytes)
  if bytes == 0 then return end
  local before = redis.call('HGET', keys.meeting, 'bytes')
  local after = sum_of(before, bytes)
  redis.call('HSET', keys.meeting, 'bytes', after)
  count_bytes(keys.workspace, tonumber(after) - tonumber(sum_of(before, 0)))
end
