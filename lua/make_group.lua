-- Makes a consumer group that reads a stream from its beginning, and the stream if it is not there. Repeating it
-- changes nothing.
--
-- flags: allow-oom
--
-- KEYS[1]  stream_key  usher:{pX}:dispatch or transcription_segments  stream: what the group reads
-- ARGV[1]  group  text: name of the group
--
-- Returns 'created'
--         'there'    it was there

local stream_key = unpack(KEYS)
local group = unpack(ARGV)

local made = redis.pcall('XGROUP', 'CREATE', stream_key, group, '0', 'MKSTREAM')
if made.err then
  if string.find(made.err, 'BUSYGROUP', 1, true) then return 'there' end
  return made
end
return 'created'
