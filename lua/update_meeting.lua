-- Changes what users write into a meeting's record: name, participants, languages, notes and their like. Together they
-- are bounded, whoever wrote which of them when: a list shows them all.
--
-- KEYS[1]  usher:{pX}:meeting:<meeting_id>  hash: the meeting
-- KEYS[2]  usher:{pX}:ws:<workspace_id>     hash: the workspace
-- ARGV[1]  the most bytes that title, participants, languages and notes may have together
-- ARGV[2]  the most bytes of all meetings of a workspace that has no limit of its own
-- ARGV[3...]  fields, each followed by its value
--
-- Returns 1 changed, 0 there is no such meeting, -1 it would have too many bytes, -2 its workspace would: nothing was
-- changed

-- include: time
-- include: quota

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local changes = {}
local more = 0
for index = 3, #ARGV, 2 do
  changes[ARGV[index]] = ARGV[index + 1]
  more = more + #ARGV[index + 1] - redis.call('HSTRLEN', KEYS[1], ARGV[index])
end
local bytes = 0
for _, field in ipairs({'title', 'participants', 'languages', 'notes'}) do
  bytes = bytes + (changes[field] and #changes[field] or redis.call('HSTRLEN', KEYS[1], field))
end
if bytes > tonumber(ARGV[1]) then return -1 end
if passed_limit(KEYS[2], ARGV[2], more) then return -2 end
redis.call('HSET', KEYS[1], 'updated_at', now_ms(), unpack(ARGV, 3))
local keys = {workspace = KEYS[2], meeting = KEYS[1]}
count_bytes_of(keys, more)
return 1
