-- Accepts the dispatch of a bot to a meeting, as the re-invite endpoint asks for it: everything at once, or nothing.
-- docs/architecture.md, "A meeting's state": "dispatch accepted" and "restarted". The lock is given back whatever the
-- result, unless it is another's. A repeated call finds the in-flight key and changes nothing.
--
-- KEYS[1]   lock_key      usher:{pX}:ws:<workspace_id>:lock             string: the token of the request that holds the
--                                                                       lock
-- KEYS[2]   inflight_key  usher:{pX}:ws:<workspace_id>:inflight:<room>  string: the bot_id in flight
-- KEYS[3]   room_key      usher:{pX}:ws:<workspace_id>:room:<room>      string: the meeting whose bot holds the room
-- KEYS[4]   bots_key      usher:{pX}:ws:<workspace_id>:bots             zset: dispatch time (ms) -> bot_id
-- KEYS[5]   meeting_key   usher:{pX}:meeting:<meeting_id>               hash: the meeting
-- KEYS[6]   bot_key       usher:{pX}:bot:<bot_id>                       hash: the new bot
-- KEYS[7]   dispatch_key  usher:{pX}:dispatch                           stream: dispatches to be claimed
-- KEYS[8]   events_key    usher:{pX}:events                             stream: what happened
-- KEYS[9]   webhooks_key  usher:{pX}:ws:<workspace_id>:webhooks         zset: when it was made (ms) -> webhook_id
-- KEYS[10]  outbox_key    usher:{pX}:outbox                             stream: changes that webhooks are to be told of
-- KEYS[11]  operator_key  usher:{pX}:operator                           hash: the operator's endpoint, if there is one
-- KEYS[12]  feed_key      usher:{pX}:meeting:<meeting_id>:feed          stream: what its viewers are told
-- KEYS[13]  feeds_key     usher:{pX}:ws:<workspace_id>:feed             stream: what viewers of all meetings are told
-- KEYS[14]  request_key?  usher:{pX}:ws:<workspace_id>:request:<which>  string: what the request did
-- ARGV[1]   token         text: the caller's lock token
-- ARGV[2]   seen          text: the status that the caller saw: INITIAL, or OFFLINE for a restart
-- ARGV[3]   meeting_id    text
-- ARGV[4]   workspace_id  text
-- ARGV[5]   room          text
-- ARGV[6]   bot_id        text
-- ARGV[7]   inflight_ms   integer: time to live of the in-flight key, ms
-- ARGV[8]   max_events    integer: length at which the event stream is trimmed
-- ARGV[9]   why           text: who asked, for the event
-- ARGV[10]  traceparent   text: traceparent of what follows (W3C Trace Context)
-- ARGV[11]  tracestate    text?
--
-- Returns {'accepted', dispatched_at: integer, epoch: integer}  (change)
--         {'repeated', what: text}           done before, by a request with the same key: bot_id, dispatched_at in ms,
--                                            epoch and the status that was seen, with spaces between
--         {'not_yours'}                      the lock is not the caller's (any more)
--         {'in_flight', holder: text?}       a dispatch to the room is in flight; the meeting that holds the room
--         {'status_changed', status: text?}  the status is no longer the one that was seen
--         {'room_held', holder: text}        a bot of this meeting holds the room, and no dispatch is in flight

-- include: time
-- include: feed
-- include: events
-- include: entry
-- include: send_bot

local lock_key, inflight_key, room_key, bots_key, meeting_key, bot_key, dispatch_key, events_key, webhooks_key,
  outbox_key, operator_key, feed_key, feeds_key, request_key = unpack(KEYS)
local token, seen, meeting_id, workspace_id, room, bot_id, inflight_ms, max_events, why, traceparent, tracestate =
  unpack(ARGV)

if redis.call('GET', lock_key) ~= token then return {'not_yours'} end
redis.call('DEL', lock_key)
local earlier = request_key and redis.call('GET', request_key)
if earlier then return {'repeated', earlier} end

local holder = redis.call('GET', room_key)
if redis.call('EXISTS', inflight_key) == 1 then return {'in_flight', holder or ''} end
local meeting = redis.call('HMGET', meeting_key, 'status', 'bot_status')
if meeting[1] ~= seen then return {'status_changed', meeting[1] or ''} end
if holder then return {'room_held', holder} end

local at_ms = now_ms()
local is_restart = seen == 'OFFLINE'
local keys = {inflight = inflight_key, room = room_key, bots = bots_key, meeting = meeting_key, bot = bot_key,
  dispatch = dispatch_key, events = events_key, webhooks = webhooks_key, outbox = outbox_key,
  operators = operator_key, feed = feed_key, feeds = feeds_key}
local epoch = send_bot(keys, meeting_id, workspace_id, room, bot_id, inflight_ms, at_ms, 1, {max_length = max_events,
  what = is_restart and 'restarted' or 'dispatched', from = seen .. '/' .. (meeting[2] or ''), why = why,
  changed = is_restart and {start_time = '', end_time = ''} or nil}, {parent = traceparent, state = tracestate})
if is_restart then redis.call('HDEL', meeting_key, 'start_time', 'end_time', 'duration', 'flag') end
if request_key then
  redis.call('SET', request_key, string.format('%s %d %d %s', bot_id, at_ms, epoch, seen), 'PX', inflight_ms)
end
return {'accepted', at_ms, epoch}
