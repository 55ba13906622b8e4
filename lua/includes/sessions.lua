-- Notes when the session of a bot began, once: the base of the absolute times in its transcript. The field `sessions`
-- has `<bot_id>=<ms>` for each session of the meeting, in the order in which they were noted: of the last four hundred
-- or so, since a meeting may be restarted for ever.
local function begin_session(meeting_key, bot_id, at_ms)
  local sessions = redis.call('HGET', meeting_key, 'sessions') or ''
  if string.find(sessions, bot_id .. '=', 1, true) then return end
  if #sessions > 20000 then sessions = string.match(sessions, ' (.*)', #sessions - 19950) or '' end
  if sessions ~= '' then sessions = sessions .. ' ' end
  redis.call('HSET', meeting_key, 'sessions', sessions .. bot_id .. '=' .. string.format('%.0f', at_ms))
end

-- When that was, as text, by the field; nil if it was not noted.
local function began_at(sessions, bot_id)
  return (string.match(' ' .. (sessions or ''), ' ' .. string.gsub(bot_id, '%-', '%%-') .. '=(%d+)'))
end
