-- Accepts a bot as the Bots API asks for it (POST /bots): limit, room, record, in-flight key and stream entry, at once
-- or not at all. docs/architecture.md, "A meeting's state": "created" (for a new record) and "dispatch accepted".
--
-- KEYS[1]  usher:{pX}:ws:<workspace_id>                  hash: the workspace
-- KEYS[2]  usher:{pX}:ws:<workspace_id>:inflight:<room>  string: the bot_id in flight
-- KEYS[3]  usher:{pX}:ws:<workspace_id>:room:<room>      string: the meeting whose bot holds the room
-- KEYS[4]  usher:{pX}:ws:<workspace_id>:bots             zset: dispatch time (ms) -> bot_id
-- KEYS[5]  usher:{pX}:meeting:<meeting_id>               hash: the meeting, planned already or to be made
-- KEYS[6]  usher:{pX}:bot:<bot_id>                       hash: the new bot
-- KEYS[7]  usher:{pX}:dispatch                           stream: dispatches to be claimed
-- KEYS[8]  usher:{pX}:events                             stream: what happened
-- KEYS[9]  usher:{pX}:ws:<workspace_id>:latest:<room>    string: the newest meeting of the room
-- KEYS[10] usher:{pX}:ws:<workspace_id>:meetings         zset: number -> meeting_id
-- KEYS[11] usher:{pX}:ws:<workspace_id>:names            hash: another name of a room -> the room
-- KEYS[12] usher:{pX}:ws:<workspace_id>:room:<name>      string: as KEYS[3], of a name of the room; else KEYS[3] again
-- KEYS[13] usher:{pX}:ws:<workspace_id>:room:<name>      string: the same of another name
-- KEYS[14] usher:{pX}:ws:<workspace_id>:request:<which>  string: what the request did; absent if it has no key
-- ARGV[1]  meeting_id
-- ARGV[2]  number of the meeting if it is to be made, or '' to take over a planned one, which never had a bot
-- ARGV[3]  workspace_id
-- ARGV[4]  room
-- ARGV[5]  bot_id
-- ARGV[6]  time to live of the in-flight key, ms
-- ARGV[7]  length at which the event stream is trimmed
-- ARGV[8]  who asked, for the event
-- ARGV[9]  the limit of a workspace that has none of its own
-- ARGV[10] the newest meeting of the room that the caller saw, or ''
-- ARGV[11] traceparent of what follows (W3C Trace Context)
-- ARGV[12] tracestate, or ''
-- ARGV[13] other names of the room, which are to lead to it, with a space before each
-- ARGV[14] names that are to lead nowhere any more, likewise
-- ARGV[15] the most meetings of a workspace that has no limit of its own
-- ARGV[16] the most bytes of them, likewise
-- ARGV[17...]  fields of the meeting, each followed by its value
--
-- Returns {1, meeting's fields and values}  accepted
--         {2, meeting_id}                   done before, by a request with the same key
--         {0}                               there is no such workspace
--         {-1, meeting_id or ''}            in flight, or a bot is there by another name: whose meeting
--         {-2}                              what was seen of the room has changed, or it has become a name: look again
--         {-3, meeting_id}                  a bot of this meeting holds the room, and no dispatch is in flight
--         {-4, limit}                       the workspace's bots have reached their limit
--         {-6, limit}                       the workspace has as many meetings as it may have
--         {-7, limit}                       its meetings would take more bytes than they may

-- include: time
-- include: events
-- include: send_bot
-- include: quota

local earlier = KEYS[14] and redis.call('GET', KEYS[14])
if earlier then return {2, earlier} end
local maximum = redis.call('HGET', KEYS[1], 'max_concurrent_bots')
if not maximum and redis.call('EXISTS', KEYS[1]) == 0 then return {0} end
local holder = redis.call('GET', KEYS[3])
if redis.call('EXISTS', KEYS[2]) == 1 then return {-1, holder or ''} end
if holder then return {-3, holder} end
local other = redis.call('GET', KEYS[12]) or redis.call('GET', KEYS[13])
if other then return {-1, other} end
if redis.call('HEXISTS', KEYS[11], ARGV[4]) == 1 or (redis.call('GET', KEYS[9]) or '') ~= ARGV[10] then return {-2} end
local state = redis.call('HMGET', KEYS[5], 'status', 'bot_status')
local is_planned = state[1] == 'INITIAL' and not state[2]
if ARGV[2] == '' and not is_planned or ARGV[2] ~= '' and state[1] then return {-2} end
local limit = tonumber(maximum or ARGV[9])
if redis.call('ZCARD', KEYS[4]) >= limit then return {-4, limit} end
local counted = {workspace = KEYS[1], meetings = KEYS[10], meeting = KEYS[5]}
local bytes = 0
if ARGV[2] ~= '' then
  local most = passed_count(counted, ARGV[15])
  if most then return {-6, most} end
  bytes = bytes_of({unpack(ARGV, 17)})
  local most_bytes = passed_limit(KEYS[1], ARGV[16], bytes)
  if most_bytes then return {-7, most_bytes} end
end

for name in string.gmatch(ARGV[14], '%S+') do redis.call('HDEL', KEYS[11], name) end
for name in string.gmatch(ARGV[13], '%S+') do redis.call('HSET', KEYS[11], name, ARGV[4]) end
local at_ms = now_ms()
-- As text, once: see send_bot.
local at = string.format('%d', at_ms)
local fields = {'updated_at', at, unpack(ARGV, 17)}
if ARGV[2] ~= '' then
  fields = {'id', ARGV[1], 'number', ARGV[2], 'workspace_id', ARGV[3], 'status', 'INITIAL', 'created_at', at,
    unpack(fields)}
  redis.call('ZADD', KEYS[10], ARGV[2], ARGV[1])
  redis.call('SET', KEYS[9], ARGV[1])
end
redis.call('HSET', KEYS[5], unpack(fields))
count_bytes_of(counted, bytes)
local keys = {inflight = KEYS[2], room = KEYS[3], bots = KEYS[4], meeting = KEYS[5], bot = KEYS[6], dispatch = KEYS[7],
  events = KEYS[8]}
send_bot(keys, ARGV[1], ARGV[3], ARGV[4], ARGV[5], ARGV[6], at_ms, 1, {max_length = ARGV[7], what = 'dispatched',
  from = (state[1] or '') .. '/', why = ARGV[8]}, {parent = ARGV[11], state = ARGV[12]})
if KEYS[14] then redis.call('SET', KEYS[14], ARGV[1], 'PX', ARGV[6]) end
return {1, redis.call('HGETALL', KEYS[5])}
