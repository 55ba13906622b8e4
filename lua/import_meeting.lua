-- Writes the record of a meeting of a workspace that is being imported, whose transcript is there, with all by which
-- it is found. It is whole then, and what nodes do to it from now on stays.
--
-- KEYS[1]  workspace_key  usher:{pX}:ws:<workspace_id>                hash: the workspace
-- KEYS[2]  meetings_key   usher:{pX}:ws:<workspace_id>:meetings       zset: number -> meeting_id
-- KEYS[3]  latest_key     usher:{pX}:ws:<workspace_id>:latest:<room>  string: the newest meeting of the room
-- KEYS[4]  held_key       usher:{pX}:ws:<workspace_id>:held:<room>    string: the meeting of the room that a bot was in
--                                                                     last
-- KEYS[5]  meeting_key    usher:{pX}:meeting:<meeting_id>             hash: the meeting
-- KEYS[6]  events_key     usher:{pX}:events                           stream: what happened
-- KEYS[7]  ended_key      usher:{pX}:ended                            zset: end of the meeting (ms) -> meeting_id
-- KEYS[8]  analyzing_key  usher:{pX}:analyzing                        zset: end of the meeting (ms) -> meeting_id
-- ARGV[1]     importing     text: the run that writes, as the workspace has it
-- ARGV[2]     meeting_id    text
-- ARGV[3]     number        integer
-- ARGV[4]     is_held       flag: whether a bot was in the room in this meeting last
-- ARGV[5]     ended_at      integer?: when it ended, if its bot has, ms
-- ARGV[6]     analyzing_at  integer?: when it ended, if its transcript is to be collected, ms
-- ARGV[7]     event_count   integer: how many events there are of it
-- ARGV[8...]  values        list: what, bot_id, from, to, why, at, trace_id of each event; then the fields of the
--                           meeting, each followed by its value
--
-- Returns 'written'    (change)
--         'known'      (change): it was written before
--         'not_yours'  the workspace is not being imported by that run (any more)

-- include: quota

local workspace_key, meetings_key, latest_key, held_key, meeting_key, events_key, ended_key, analyzing_key =
  unpack(KEYS)
local importing, meeting_id, number, is_held, ended_at, analyzing_at, event_count = unpack(ARGV, 1, 7)
local values = {unpack(ARGV, 8)}

if redis.call('HGET', workspace_key, 'importing') ~= importing then return 'not_yours' end
if redis.call('EXISTS', meeting_key) == 1 then return 'known' end
-- The stream is not trimmed here: by how much it is, nodes know.
local entries, fields = '', 7 * tonumber(event_count) + 1
for index = 1, fields - 1, 7 do
  local what, bot_id, from, to, why, at, trace_id = unpack(values, index, index + 6)
  entries = entries .. redis.call('XADD', events_key, '*', 'what', what, 'meeting_id', meeting_id, 'bot_id', bot_id,
    'from', from, 'to', to, 'why', why, 'at', at, 'trace_id', trace_id) .. ' '
end
if ended_at ~= '' then redis.call('ZADD', ended_key, ended_at, meeting_id) end
if analyzing_at ~= '' then redis.call('ZADD', analyzing_key, analyzing_at, meeting_id) end
redis.call('ZADD', meetings_key, number, meeting_id)
redis.call('SET', latest_key, meeting_id)
if is_held == '1' then redis.call('SET', held_key, meeting_id) end
redis.call('HSET', meeting_key, unpack(values, fields))
redis.call('HSET', meeting_key, 'events', entries)
count_bytes(workspace_key, tonumber(redis.call('HGET', meeting_key, 'bytes') or '') or 0)
return 'written'
