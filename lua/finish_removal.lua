-- Removes what is left of a workspace that was removed, once it has nothing more, and nothing can come any more of a
-- request that was under way.
--
-- flags: allow-oom
--
-- KEYS[1]   workspace_key  usher:{pX}:ws:<workspace_id>              hash: the workspace, if such a request wrote there
-- KEYS[2]   members_key    usher:{pX}:ws:<workspace_id>:members      hash: likewise
-- KEYS[3]   keys_key       usher:{pX}:ws:<workspace_id>:keys         hash: id of an API key -> the hash of the key
-- KEYS[4]   webhooks_key   usher:{pX}:ws:<workspace_id>:webhooks     zset: when it was made (ms) -> webhook_id
-- KEYS[5]   bots_key       usher:{pX}:ws:<workspace_id>:bots         zset: dispatch time (ms) -> bot_id
-- KEYS[6]   meetings_key   usher:{pX}:ws:<workspace_id>:meetings     zset: number -> meeting_id
-- KEYS[7]   lock_key       usher:{pX}:ws:<workspace_id>:lock         string: the token of its removal
-- KEYS[8]   names_key      usher:{pX}:ws:<workspace_id>:names        hash: another name of a room -> the room
-- KEYS[9]   images_key     usher:{pX}:ws:<workspace_id>:screenshots        hash: meeting_id -> the picture, in Base64
-- KEYS[10]  order_key      usher:{pX}:ws:<workspace_id>:screenshots:order  zset: when it came (ms) -> meeting_id
-- KEYS[11]  feeds_key      usher:{pX}:ws:<workspace_id>:feed         stream: what viewers of all meetings are told
-- KEYS[12]  removing_key   usher:{pX}:removing                       zset: when it is gone on with (ms) -> workspace_id
-- KEYS[13]  removed_key    usher:{pX}:removed                        zset: when it was removed (ms) -> workspace_id
-- ARGV[1]  workspace_id  text
-- ARGV[2]  late_ms       integer: how long after its removal something may come, ms
--
-- Returns 'removed'     now or before
--         'under_way'  it has something
--         'waits'      until nothing can come any more

-- include: time

local workspace_key, members_key, keys_key, webhooks_key, bots_key, meetings_key, lock_key, names_key, images_key,
  order_key, feeds_key, removing_key, removed_key = unpack(KEYS)
local workspace_id, late_ms = unpack(ARGV)

if not redis.call('ZSCORE', removing_key, workspace_id) then return 'removed' end
if redis.call('EXISTS', keys_key, webhooks_key, bots_key, meetings_key) > 0 then return 'under_way' end
local at_ms = now_ms()
local removed_ms = tonumber(redis.call('ZSCORE', removed_key, workspace_id) or '') or 0
-- A clock that was set back must not have it wait until that has caught up.
if removed_ms > at_ms then
  removed_ms = at_ms
  redis.call('ZADD', removed_key, string.format('%.0f', at_ms), workspace_id)
end
local ends_ms = removed_ms + tonumber(late_ms)
if ends_ms > at_ms then
  redis.call('ZADD', removing_key, string.format('%.0f', ends_ms), workspace_id)
  return 'waits'
end
redis.call('UNLINK', workspace_key, members_key, lock_key, names_key, images_key, order_key, feeds_key)
redis.call('ZREM', removing_key, workspace_id)
-- A node that is behind may have it on its list: it is not imported anew until that one has given up.
redis.call('ZADD', removed_key, string.format('%.0f', at_ms), workspace_id)
return 'removed'
