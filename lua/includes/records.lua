-- The records of meetings that are made: in INITIAL, and the newest of their rooms. And what rooms are called besides.

-- `keys` has the members meeting, meetings and latest.
local function make_record(keys, meeting_id, number, at)
  redis.call('HSET', keys.meeting, 'id', meeting_id, 'number', number, 'status', 'INITIAL', 'created_at', at)
  redis.call('ZADD', keys.meetings, number, meeting_id)
  redis.call('SET', keys.latest, meeting_id)
end

-- Has other names lead to a room, and some nowhere any more; each with a space before it.
local function set_names(names_key, room, names, forgotten)
  for name in string.gmatch(forgotten, '%S+') do redis.call('HDEL', names_key, name) end
  for name in string.gmatch(names, '%S+') do redis.call('HSET', names_key, name, room) end
end
