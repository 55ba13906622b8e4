-- The keys of a bot's life, which the scripts that take it from one stage to the next share: the first fourteen.
--
-- KEYS[1]   meeting    usher:{pX}:meeting:<meeting_id>               hash: the meeting
-- KEYS[2]   bot        usher:{pX}:bot:<bot_id>                       hash: the bot
-- KEYS[3]   inflight   usher:{pX}:ws:<workspace_id>:inflight:<room>  string: the bot_id in flight
-- KEYS[4]   room       usher:{pX}:ws:<workspace_id>:room:<room>      string: the meeting whose bot holds the room
-- KEYS[5]   bots       usher:{pX}:ws:<workspace_id>:bots             zset: dispatch time (ms) -> bot_id
-- KEYS[6]   leases     usher:{pX}:leases                             zset: lease expiry (ms) -> bot_id
-- KEYS[7]   analyzing  usher:{pX}:analyzing                          zset: end of the meeting (ms) -> meeting_id
-- KEYS[8]   events     usher:{pX}:events                             stream: what happened
-- KEYS[9]   ended      usher:{pX}:ended                              zset: end of the meeting (ms) -> meeting_id
-- KEYS[10]  webhooks   usher:{pX}:ws:<workspace_id>:webhooks         zset: when it was made (ms) -> webhook_id
-- KEYS[11]  outbox     usher:{pX}:outbox                             stream: changes webhooks are to be told of
-- KEYS[12]  operators  usher:{pX}:operator                           hash: the operator's endpoint, if there is one
-- KEYS[13]  feed       usher:{pX}:meeting:<meeting_id>:feed          stream: what its viewers are told
-- KEYS[14]  feeds      usher:{pX}:ws:<workspace_id>:feed             stream: what viewers of all meetings are told

local keys = {meeting = KEYS[1], bot = KEYS[2], inflight = KEYS[3], room = KEYS[4], bots = KEYS[5], leases = KEYS[6],
  analyzing = KEYS[7], events = KEYS[8], ended = KEYS[9], webhooks = KEYS[10], outbox = KEYS[11],
  operators = KEYS[12], feed = KEYS[13], feeds = KEYS[14]}
