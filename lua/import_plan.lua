-- Has a planned meeting of a workspace that is being imported be sent a bot at its time. Repeating it changes nothing.
--
-- KEYS[1]  workspace_key  usher:{pX}:ws:<workspace_id>                 hash: the workspace
-- KEYS[2]  meeting_key    usher:{pX}:meeting:<meeting_id>              hash: the meeting
-- KEYS[3]  plans_key      usher:{pX}:plans                             zset: when a bot is to be sent (ms) -> plan
-- KEYS[4]  planned_key    usher:{pX}:ws:<workspace_id>:planned:<room>  zset: time (ms) -> meeting_id
-- ARGV[1]  importing   text: the run that writes, as the workspace has it
-- ARGV[2]  meeting_id  text
-- ARGV[3]  plan        text: how the meeting is named among the plans
-- ARGV[4]  due         integer: when a bot is to be sent, ms
--
-- Returns 'planned'    (change)
--         'served'     (change): it has had a bot, was missed, cancelled or removed
--         'not_yours'  the workspace is not being imported by that run (any more)

-- include: plans

local workspace_key, meeting_key, plans_key, planned_key = unpack(KEYS)
local importing, meeting_id, plan, due = unpack(ARGV)

if redis.call('HGET', workspace_key, 'importing') ~= importing then return 'not_yours' end
local meeting = redis.call('HMGET', meeting_key, 'status', 'bot_status', 'missed_at', 'scheduled_at')
if meeting[1] ~= 'INITIAL' or meeting[2] or meeting[3] or not tonumber(meeting[4] or '') then return 'served' end
local planning = {plans = plans_key, planned = planned_key}
arm(planning, plan, meeting_id, meeting[4], due)
return 'planned'
