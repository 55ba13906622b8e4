-- Writes fields of a hash of a workspace that is being imported, and lists that. Repeating it changes nothing.
--
-- KEYS[1]  workspace_key  usher:{pX}:ws:<workspace_id>                      hash: the workspace
-- KEYS[2]  record_key     usher:{pX}:...                                    hash: members, names, a webhook, a
--                                                                           calendar, its plans, or segments
-- KEYS[3]  list_key?      usher:{pX}:ws:<workspace_id>:webhooks or similar  zset: when it was made (ms) -> member
-- ARGV[1]     importing  text: the run that writes, as the workspace has it
-- ARGV[2]     is_anew    flag: whether what it has is removed first
-- ARGV[3]     member     text?: how it is listed
-- ARGV[4]     made_at    integer?: when it was made, ms
-- ARGV[5...]  fields     pairs: fields, each followed by its value
--
-- Returns 'written'    (change)
--         'not_yours'  the workspace is not being imported by that run (any more)

local workspace_key, record_key, list_key = unpack(KEYS)
local importing, is_anew, member, made_at = unpack(ARGV, 1, 4)
local fields = {unpack(ARGV, 5)}

if redis.call('HGET', workspace_key, 'importing') ~= importing then return 'not_yours' end
if is_anew == '1' then redis.call('UNLINK', record_key) end
if #fields > 0 then redis.call('HSET', record_key, unpack(fields)) end
if list_key then redis.call('ZADD', list_key, made_at, member) end
return 'written'
