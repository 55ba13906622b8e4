-- Reads meetings' records, one after the other, until what was read has a number of bytes: so that a reply is bounded
-- whatever users have written into them. At least one is read.
--
-- KEYS[1...]  usher:{pX}:meeting:<meeting_id>  hash: a meeting
-- ARGV[1]     bytes after which no more records are read
-- ARGV[2...]  the meeting_id of each key, in the same order
--
-- Returns for each record that was read, from the first key on: its meeting_id and then {field, value, ...}, {} where
-- there is none, or the error of what is no hash, which is not to spoil the others

local records = {}
local bytes = 0
for index = 2, #ARGV do
  local record = redis.pcall('HGETALL', KEYS[index - 1])
  if record.err then record = {err = record.err} end
  records[#records + 1] = ARGV[index]
  records[#records + 1] = record
  for part = 1, #record do bytes = bytes + #record[part] end
  if bytes >= tonumber(ARGV[1]) then break end
end
return records
