-- Removes a meeting of a workspace that was removed, whatever its state, with its transcript. What leads to it from
-- elsewhere is gone by then.
--
-- flags: allow-oom
--
-- KEYS[1]   meeting_key    usher:{pX}:meeting:<meeting_id>           hash: the meeting
-- KEYS[2]   segments_key   usher:{pX}:meeting:<meeting_id>:segments  hash: its transcript
-- KEYS[3]   feed_key       usher:{pX}:meeting:<meeting_id>:feed      stream: what its viewers are told
-- KEYS[4]   bots_key       usher:{pX}:ws:<workspace_id>:bots         zset: dispatch time (ms) -> bot_id
-- KEYS[5]   meetings_key   usher:{pX}:ws:<workspace_id>:meetings     zset: number -> meeting_id
-- KEYS[6]   plans_key      usher:{pX}:plans                          zset: when a bot is to be sent (ms) -> plan
-- KEYS[7]   analyzing_key  usher:{pX}:analyzing                      zset: end of the meeting (ms) -> meeting_id
-- KEYS[8]   ended_key      usher:{pX}:ended                          zset: likewise
-- KEYS[9]   archived_key   usher:{pX}:archived                       zset: likewise, of those that the archive has
-- KEYS[10]  moving_key     usher:{pX}:moving                         zset: end of a lease (ms) -> meeting_id
-- KEYS[11]  removals_key   usher:{pX}:removals                       zset: when it goes (ms) -> object of the archive
-- ARGV[1]  meeting_id  text
-- ARGV[2]  plan        text: how the meeting is named among the plans
--
-- Returns 'removed'
--         'busy'     the workspace has a bot

-- include: time
-- include: archive

local meeting_key, segments_key, feed_key, bots_key, meetings_key, plans_key, analyzing_key, ended_key, archived_key,
  moving_key, removals_key = unpack(KEYS)
local meeting_id, plan = unpack(ARGV)

if redis.call('ZCARD', bots_key) > 0 then return 'busy' end
local keys = {meeting = meeting_key, removals = removals_key}
remove_archived(keys, now_ms())
-- What it takes to free tens of thousands of segments must not hold others up.
redis.call('UNLINK', meeting_key, segments_key, feed_key)
redis.call('ZREM', plans_key, plan)
redis.call('ZREM', analyzing_key, meeting_id)
redis.call('ZREM', ended_key, meeting_id)
redis.call('ZREM', archived_key, meeting_id)
redis.call('ZREM', moving_key, meeting_id)
redis.call('ZREM', meetings_key, meeting_id)
return 'removed'
