-- Notes in a meeting's record that what a bot heard is kept in a folder of recordings, once that bot has ended: from
-- then on the transcript tells of it, and webhooks are told. Not if what the meeting left has been deleted since the
-- bot's session began. Repeating it changes nothing.
--
-- KEYS[1]  meeting_key    usher:{pX}:meeting:<meeting_id>        hash: the meeting
-- KEYS[2]  workspace_key  usher:{pX}:ws:<workspace_id>           hash: the workspace
-- KEYS[3]  bot_key        usher:{pX}:bot:<bot_id>                hash: the bot
-- KEYS[4]  events_key     usher:{pX}:events                      stream: what happened
-- KEYS[5]  webhooks_key   usher:{pX}:ws:<workspace_id>:webhooks  zset: when it was made (ms) -> webhook_id
-- KEYS[6]  outbox_key     usher:{pX}:outbox                      stream: changes that webhooks are to be told of
-- KEYS[7]  operator_key   usher:{pX}:operator                    hash: the operator's endpoint, if there is one
-- KEYS[8]  removed_key    usher:{pX}:removed                     zset: when it was removed (ms) -> workspace_id
-- ARGV[1]  meeting_id  text
-- ARGV[2]  bot_id      text
-- ARGV[3]  bytes       integer: of the recording's file
-- ARGV[4]  most        integer: the most recordings that a record tells of
-- ARGV[5]  max_events  integer: length at which the event stream is trimmed
-- ARGV[6]  workspace_id  text
--
-- Returns 'noted'              (change)
--         'known'              it was noted before
--         'unknown_meeting'    the workspace has no such meeting any more, or was removed
--         'deleted'            what the meeting left by then was deleted
--         'unknown_workspace'  there is no such workspace here
--         'under_way'          the bot has not ended
--         'too_many'           the record tells of so many already

-- include: time
-- include: feed
-- include: events

local meeting_key, workspace_key, bot_key, events_key, webhooks_key, outbox_key, operator_key,
  removed_key = unpack(KEYS)
local meeting_id, bot_id, bytes, most, max_events, workspace_id = unpack(ARGV)

-- `<bot_id>=<number>` for each in a list; how many there are, too.
local function find(list, id)
  local found, count = nil, 0
  for name, number in string.gmatch(list or '', '(%S+)=(%d+)') do
    count = count + 1
    if name == id then found = tonumber(number) end
  end
  return found, count
end

local meeting = redis.call('HMGET', meeting_key, 'status', 'bot_status', 'recordings', 'sessions', 'redacted_at')
if not meeting[1] then
  local is_known = redis.call('EXISTS', workspace_key) == 1 or redis.call('ZSCORE', removed_key, workspace_id)
  if is_known then return 'unknown_meeting' end
  return 'unknown_workspace'
end
local bot = redis.call('HMGET', bot_key, 'workspace_id', 'ended_at', 'traceparent')
if bot[1] and not bot[2] then return 'under_way' end
if meeting[5] and tonumber(meeting[5]) >= (find(meeting[4], bot_id) or 0) then return 'deleted' end
local known, count = find(meeting[3], bot_id)
if known then return 'known' end
if count >= tonumber(most) then return 'too_many' end
local state = meeting[1] .. '/' .. (meeting[2] or '')
local keys = {meeting = meeting_key, events = events_key, webhooks = webhooks_key, outbox = outbox_key,
  operators = operator_key}
local at_ms = now_ms()
local at = string.format('%d', at_ms)
record_told(keys, max_events, at_ms, 'recorded', meeting_id, bot_id, state, state, 'recording kept', bot[3],
  {updated_at = at})
redis.call('HSET', meeting_key, 'recordings', (meeting[3] and meeting[3] .. ' ' or '') .. bot_id .. '=' .. bytes,
  'updated_at', at)
return 'noted'
