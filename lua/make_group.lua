-- Makes a consumer group that reads a stream from its beginning, and the stream if it is not there. Repeating it
-- changes nothing.
--
-- flags: allow-oom
--
-- KEYS[1]  usher:{pX}:dispatch or transcription_segments  stream: what the group reads
-- ARGV[1]  name of the group
--
-- Returns 1 made, 0 it was there

local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
if made.err then
  if string.find(made.err, 'BUSYGROUP', 1, true) then return 0 end
  return made
end
return 1
