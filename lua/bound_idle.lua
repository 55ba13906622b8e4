-- Has entries that a group has given out later than now, since the clock was set back, count as given out now: nobody
-- could take them over until the clock has caught up. What was given out this very moment looks the same, and stays.
--
-- flags: allow-oom
--
-- KEYS[1]  stream_key  usher:{pX}:dispatch or transcription_segments  stream: what the group reads
-- ARGV[1]  group    text: name of the group
-- ARGV[2]  maximum  integer: most entries to look at
--
-- Returns bounded: integer  how many, 0 if there is no such stream or group

local stream_key = unpack(KEYS)
local group, maximum = unpack(ARGV)

local pending = redis.pcall('XPENDING', stream_key, group, '-', '+', maximum)
if pending.err then return 0 end
local bounded = 0
for _, entry in ipairs(pending) do
  if entry[3] <= 0 then
    redis.call('XCLAIM', stream_key, group, entry[2], 0, entry[1], 'IDLE', 0, 'JUSTID')
    bounded = bounded + 1
  end
end
return bounded
