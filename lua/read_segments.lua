-- Hands a node what bots wrote to the segment stream: what is new, or what it was handed before and has not
-- acknowledged. Bots may write what they like, so this reads entry by entry and hands out no more than is bounded here.
-- It notes which nodes have begun with an entry; one that has understood it takes the note away. An entry that others
-- have begun with is handed out alone, so that no other is taken for the one that they ended over, and then no more.
--
-- KEYS[1]  stream_key    transcription_segments                   stream: what bots write, for a group of nodes
-- KEYS[2]  attempts_key  usher:{transcription_segments}:attempts  hash: id of an entry -> the nodes that have begun
--                                                                 with it
-- ARGV[1]  group              text: name of the group
-- ARGV[2]  node               text: name of the node
-- ARGV[3]  after              text: `>` for what is new, or the id after which it goes on with what it was handed
--                             before
-- ARGV[4]  max_entries        integer: most entries
-- ARGV[5]  max_bytes          integer: bytes after which no further entry is handed out
-- ARGV[6]  max_payload_bytes  integer: most bytes of a payload that is handed out whole
-- ARGV[7]  prefix_bytes       integer: bytes that are handed out of a payload that is not to be used
-- ARGV[8]  max_others         integer: how many other nodes may have begun with an entry and not got through it
-- ARGV[9]  keep_ms            integer: how long what is noted is kept after the last note, ms
--
-- Returns entries: array  for each entry one of
--           {id, 'whole', payload, bytes}  to be taken in
--           {id, 'long', prefix, bytes}    its payload has more bytes than it may
--           {id, 'tried', prefix, bytes}   so many nodes have ended over it
--           {id, 'empty'}                  it has no field named payload
--           {id, 'gone'}                   it was removed while it was pending

local stream_key, attempts_key = unpack(KEYS)
local group, node, after, max_entries, max_bytes, max_payload_bytes, prefix_bytes, max_others, keep_ms = unpack(ARGV)

local answers, notes = {}, {}
local bytes, last = 0, after

local function payload_of(fields)
  for index = 1, #fields, 2 do
    if fields[index] == 'payload' then return fields[index + 1] end
  end
end

-- The nodes, other than this one, that have begun with an entry. What is new nobody has begun with.
local function others(id)
  local names = {}
  if after == '>' then return names end
  for name in string.gmatch(redis.call('HGET', attempts_key, id) or '', '%S+') do
    if name ~= node then names[#names + 1] = name end
  end
  return names
end

local function answer(id, fields, before)
  if not fields then return {id, 'gone'} end
  local payload = payload_of(fields)
  if not payload then return {id, 'empty'} end
  local verdict = 'whole'
  if #payload > tonumber(max_payload_bytes) then verdict = 'long' end
  if #before >= tonumber(max_others) then verdict = 'tried' end
  if verdict ~= 'whole' then return {id, verdict, string.sub(payload, 1, prefix_bytes), #payload} end
  before[#before + 1] = node
  notes[#notes + 1], notes[#notes + 2] = id, table.concat(before, ' ')
  return {id, verdict, payload, #payload}
end

while #answers < tonumber(max_entries) and bytes < tonumber(max_bytes) do
  local reply = redis.call('XREADGROUP', 'GROUP', group, node, 'COUNT', 1, 'STREAMS', stream_key, last)
  local entry = reply and reply[1][2][1]
  if not entry then break end
  if last ~= '>' then last = entry[1] end
  local before = others(entry[1])
  local is_suspect = #before > 0
  if is_suspect and #answers > 0 then break end
  answers[#answers + 1] = answer(entry[1], entry[2], before)
  bytes = is_suspect and tonumber(max_bytes) or bytes + #(answers[#answers][3] or '')
end
if #notes > 0 then
  redis.call('HSET', attempts_key, unpack(notes))
  redis.call('PEXPIRE', attempts_key, keep_ms)
end
return answers
