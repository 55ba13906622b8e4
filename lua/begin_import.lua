-- Makes the workspace of an export, or goes on with one that was begun of the same. While its record has `importing`,
-- `<export> <run>`, it is not whole, and the run that began last writes alone: two would undo what each other did.
--
-- KEYS[1]  workspace_key  usher:{pX}:ws:<workspace_id>  hash: the workspace
-- KEYS[2]  removing_key   usher:{pX}:removing           zset: when its removal is gone on with (ms) -> workspace_id
-- KEYS[3]  removed_key    usher:{pX}:removed            zset: when it was removed, or gone (ms) -> workspace_id
-- ARGV[1]     workspace_id  text
-- ARGV[2]     export        text: which export it is
-- ARGV[3]     run           text: which run of its import it is
-- ARGV[4]     late_ms       integer: how long after it was gone a node may still take it to pieces, ms
-- ARGV[5...]  fields        pairs: fields of the workspace, each followed by its value
--
-- Returns 'begun'     (change)
--         'goes_on'   (change): it was begun before
--         'taken'     there is such a workspace, of something else
--         'removing'  it was removed, and something is left of it still, or was a moment ago

-- include: time

local workspace_key, removing_key, removed_key = unpack(KEYS)
local workspace_id, export, run, late_ms = unpack(ARGV, 1, 4)
local fields = {unpack(ARGV, 5)}

local importing = export .. ' ' .. run
local before = redis.call('HGET', workspace_key, 'importing')
if before and string.sub(before, 1, #export + 1) == export .. ' ' then
  redis.call('HSET', workspace_key, 'importing', importing)
  return 'goes_on'
end
if redis.call('EXISTS', workspace_key) == 1 then return 'taken' end
if redis.call('ZSCORE', removing_key, workspace_id) then return 'removing' end
local since_ms = now_ms() - (tonumber(redis.call('ZSCORE', removed_key, workspace_id) or '') or 0)
if since_ms >= 0 and since_ms < tonumber(late_ms) then return 'removing' end
redis.call('ZREM', removed_key, workspace_id)
redis.call('HSET', workspace_key, 'importing', importing, unpack(fields))
return 'begun'
