-- Accepts a bot as the Bots API asks for it (POST /bots): limit, room, record, in-flight key and stream entry, at once
-- or not at all. docs/architecture.md, "A meeting's state": "created" (for a new record) and "dispatch accepted".
--
-- KEYS[1]   workspace_key  usher:{pX}:ws:<workspace_id>                  hash: the workspace
-- KEYS[2]   inflight_key   usher:{pX}:ws:<workspace_id>:inflight:<room>  string: the bot_id in flight
-- KEYS[3]   room_key       usher:{pX}:ws:<workspace_id>:room:<room>      string: the meeting whose bot holds the room
-- KEYS[4]   bots_key       usher:{pX}:ws:<workspace_id>:bots             zset: dispatch time (ms) -> bot_id
-- KEYS[5]   meeting_key    usher:{pX}:meeting:<meeting_id>               hash: the meeting, planned or to be made
-- KEYS[6]   bot_key        usher:{pX}:bot:<bot_id>                       hash: the new bot
-- KEYS[7]   dispatch_key   usher:{pX}:dispatch                           stream: dispatches to be claimed
-- KEYS[8]   events_key     usher:{pX}:events                             stream: what happened
-- KEYS[9]   latest_key     usher:{pX}:ws:<workspace_id>:latest:<room>    string: the newest meeting of the room
-- KEYS[10]  meetings_key   usher:{pX}:ws:<workspace_id>:meetings         zset: number -> meeting_id
-- KEYS[11]  names_key      usher:{pX}:ws:<workspace_id>:names            hash: another name of a room -> the room
-- KEYS[12]  other_key      usher:{pX}:ws:<workspace_id>:room:<name>      string: that of another name; else room_key
-- KEYS[13]  another_key    usher:{pX}:ws:<workspace_id>:room:<name>      string: the same of another name
-- KEYS[14]  webhooks_key   usher:{pX}:ws:<workspace_id>:webhooks         zset: when it was made (ms) -> webhook_id
-- KEYS[15]  outbox_key     usher:{pX}:outbox                             stream: what webhooks are to be told of
-- KEYS[16]  operator_key   usher:{pX}:operator                           hash: the operator's endpoint, if there is one
-- KEYS[17]  feed_key       usher:{pX}:meeting:<meeting_id>:feed          stream: what its viewers are told
-- KEYS[18]  feeds_key      usher:{pX}:ws:<workspace_id>:feed             stream: what viewers of all meetings are told
-- KEYS[19]  dedup_key      usher:{pX}:ws:<workspace_id>:dedup:<key>      string: the meeting with a deduplication key
-- KEYS[20]  request_key?   usher:{pX}:ws:<workspace_id>:request:<which>  string: what the request did
-- ARGV[1]      meeting_id            text
-- ARGV[2]      number                integer?: of the meeting that is to be made; none: a planned one has its bot
-- ARGV[3]      workspace_id          text
-- ARGV[4]      room                  text
-- ARGV[5]      bot_id                text
-- ARGV[6]      inflight_ms           integer: time to live of the in-flight key, ms
-- ARGV[7]      max_events            integer: length at which the event stream is trimmed
-- ARGV[8]      why                   text: who asked, for the event
-- ARGV[9]      default_max_bots      integer: the limit of a workspace that has none of its own
-- ARGV[10]     latest                text?: the newest meeting of the room that the caller saw
-- ARGV[11]     traceparent           text: traceparent of what follows (W3C Trace Context)
-- ARGV[12]     tracestate            text?
-- ARGV[13]     names                 text: other names of the room, which are to lead to it, with a space before each
-- ARGV[14]     forgotten             text: names that are to lead nowhere any more, likewise
-- ARGV[15]     default_max_meetings  integer: the most meetings of a workspace that has no limit of its own
-- ARGV[16]     default_max_bytes     integer: the most bytes of them, likewise
-- ARGV[17]     owner                 text?: the meeting that was seen to have the deduplication key
-- ARGV[18]     dedup_ms              integer: time to live of that, ms; 0: there is none, and dedup_key is another key
-- ARGV[19...]  fields                pairs: fields of the meeting, each followed by its value
--
-- Returns {'accepted', meeting: hash}            (change)
--         {'repeated', meeting_id: text}         done before, by a request with the same key
--         {'unknown_workspace'}                  there is no such workspace
--         {'in_flight', holder: text?}           or a bot is there by another name: whose meeting
--         {'look_again'}                         what was seen of the room, or the key, has changed
--         {'room_held', holder: text}            a bot of this meeting holds the room, and no dispatch is in flight
--         {'too_many_bots', limit: integer}      the workspace's bots have reached their limit
--         {'too_many_meetings', limit: integer}  the workspace has as many meetings as it may have
--         {'workspace_full', limit: integer}     its meetings would take more bytes than they may
-- include: time
-- include: feed
-- include: events
-- include: entry
-- include: send_bot
-- include: quota
-- include: records

local workspace_key, inflight_key, room_key, bots_key, meeting_key, bot_key, dispatch_key, events_key, latest_key,
  meetings_key, names_key, other_key, another_key, webhooks_key, outbox_key, operator_key, feed_key,
  feeds_key, dedup_key, request_key = unpack(KEYS)
local meeting_id, number, workspace_id, room, bot_id, inflight_ms, max_events, why, default_max_bots, latest,
  traceparent, tracestate, names, forgotten, default_max_meetings, default_max_bytes, owner,
  dedup_ms = unpack(ARGV, 1, 18)
local fields = {unpack(ARGV, 19)}
local earlier = request_key and redis.call('GET', request_key)
if earlier then return {'repeated', earlier} end
local maximum = redis.call('HGET', workspace_key, 'max_concurrent_bots')
if not maximum and redis.call('EXISTS', workspace_key) == 0 then return {'unknown_workspace'} end
local holder = redis.call('GET', room_key)
if redis.call('EXISTS', inflight_key) == 1 then return {'in_flight', holder or ''} end
if holder then return {'room_held', holder} end
local other = redis.call('GET', other_key) or redis.call('GET', another_key)
if other then return {'in_flight', other} end
if (redis.call('GET', latest_key) or '') ~= latest or redis.call('HEXISTS', names_key, room) == 1
  or dedup_ms ~= '0' and (redis.call('GET', dedup_key) or '') ~= owner then return {'look_again'} end
local state = redis.call('HMGET', meeting_key, 'status', 'bot_status')
if number == '' and (state[1] ~= 'INITIAL' or state[2]) or number ~= '' and state[1] then return {'look_again'} end
maximum = tonumber(maximum or default_max_bots)
if redis.call('ZCARD', bots_key) >= maximum then return {'too_many_bots', maximum} end
local keys = {workspace = workspace_key, meetings = meetings_key, inflight = inflight_key, room = room_key,
  bots = bots_key, meeting = meeting_key, bot = bot_key, dispatch = dispatch_key, events = events_key, feed = feed_key,
  feeds = feeds_key, webhooks = webhooks_key, outbox = outbox_key, operators = operator_key, latest = latest_key}
local most = number ~= '' and passed_count(keys, default_max_meetings)
if most then return {'too_many_meetings', most} end
local bytes = number ~= '' and bytes_of(fields) or growth_of(meeting_key, fields)
local most_bytes = passed_limit(workspace_key, default_max_bytes, bytes)
if most_bytes then return {'workspace_full', most_bytes} end
set_names(names_key, room, names, forgotten)
local at_ms = now_ms()
if number ~= '' then make_record(keys, meeting_id, number, at_ms) end
redis.call('HSET', meeting_key, 'updated_at', at_ms, 'workspace_id', workspace_id, unpack(fields))
count_bytes_of(keys, bytes)
send_bot(keys, meeting_id, workspace_id, room, bot_id, inflight_ms, at_ms, 1, {max_length = max_events,
  what = 'dispatched', from = (state[1] or '') .. '/', why = why}, {parent = traceparent, state = tracestate})
if dedup_ms ~= '0' then redis.call('SET', dedup_key, meeting_id, 'PX', dedup_ms) end
if request_key then redis.call('SET', request_key, meeting_id, 'PX', inflight_ms) end
return {'accepted', redis.call('HGETALL', meeting_key)}
