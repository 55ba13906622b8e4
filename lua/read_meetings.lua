-- Reads meetings' records, one after the other, until what was read has a number of bytes: so that a reply is bounded
-- whatever users have written into them. At least one is read.
--
-- KEYS[1...]  meeting_keys  usher:{pX}:meeting:<meeting_id>  hash: a meeting
-- ARGV[1]     max_bytes    integer: bytes after which no more records are read
-- ARGV[2...]  meeting_ids  list: the meeting_id of each key, in the same order
--
-- Returns records: array  for each record that was read, from the first key on: its meeting_id and then {field, value,
--                         ...}, {} where there is none, or the error of what is no hash, which is not to spoil the
--                         others

local meeting_keys = {unpack(KEYS, 1)}
local max_bytes = unpack(ARGV, 1, 1)
local meeting_ids = {unpack(ARGV, 2)}

local records = {}
local bytes = 0
for index = 1, #meeting_keys do
  local record = redis.pcall('HGETALL', meeting_keys[index])
  if record.err then record = {err = record.err} end
  records[#records + 1] = meeting_ids[index]
  records[#records + 1] = record
  for part = 1, #record do bytes = bytes + #record[part] end
  if bytes >= tonumber(max_bytes) then break end
end
return records
