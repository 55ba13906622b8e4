-- Changes what users write into a meeting's record: name, participants, languages, notes and their like. Together they
-- are bounded, whoever wrote which of them when: a list shows them all.
--
-- KEYS[1]  meeting_key    usher:{pX}:meeting:<meeting_id>  hash: the meeting
-- KEYS[2]  workspace_key  usher:{pX}:ws:<workspace_id>     hash: the workspace
-- ARGV[1]     max_bytes          integer: the most bytes that title, participants, languages and notes may have
--                                together
-- ARGV[2]     default_max_bytes  integer: the most bytes of all meetings of a workspace that has no limit of its own
-- ARGV[3...]  fields             pairs: fields, each followed by its value
--
-- Returns 'changed'          (change)
--         'unknown_meeting'  there is no such meeting
--         'full'             it would have too many bytes
--         'workspace_full'   its workspace would: nothing was changed

-- include: time
-- include: quota

local meeting_key, workspace_key = unpack(KEYS)
local max_bytes, default_max_bytes = unpack(ARGV, 1, 2)
local fields = {unpack(ARGV, 3)}

if redis.call('EXISTS', meeting_key) == 0 then return 'unknown_meeting' end
local changes = {}
for index = 1, #fields, 2 do changes[fields[index]] = fields[index + 1] end
local more = growth_of(meeting_key, fields)
-- What was collected was never counted, and is not given back.
for _, field in ipairs({'participants', 'languages'}) do
  if changes[field] and redis.call('HGET', meeting_key, field .. '_by') ~= 'user' then
    more = more + redis.call('HSTRLEN', meeting_key, field)
  end
end
local bytes = 0
for _, field in ipairs({'title', 'participants', 'languages', 'notes'}) do
  bytes = bytes + (changes[field] and #changes[field] or redis.call('HSTRLEN', meeting_key, field))
end
if bytes > tonumber(max_bytes) then return 'full' end
if passed_limit(workspace_key, default_max_bytes, more) then return 'workspace_full' end
redis.call('HSET', meeting_key, 'updated_at', now_ms(), unpack(fields))
local keys = {workspace = workspace_key, meeting = meeting_key}
count_bytes_of(keys, more)
return 'changed'
