-- Takes tokens out of a bucket: as many as it has, up to what is asked for. A bucket fills by so many a second until it
-- is full; what is kept of it is the moment when it will be, so that a full one takes no memory.
--
-- flags: allow-oom
--
-- KEYS[1]  bucket_key   usher:rate:{<key>} or usher:rate:address:<address>  string: when the bucket is full again,
--                                                                           microseconds
-- KEYS[2]  record_key?  usher:key:<sha256 of the API key>                   hash: the key whose bucket it is; absent
--                                                                           for an address
-- ARGV[1]  per_second  integer: tokens a second
-- ARGV[2]  burst       integer: tokens in a full bucket
-- ARGV[3]  wanted      integer: tokens asked for, 1 or more
--
-- Returns {'taken', tokens: integer}        so many
--         {'empty', milliseconds: integer}  until there is one
--         {'unknown_key'}                   there is no such API key, and so no bucket

local bucket_key, record_key = unpack(KEYS)
local per_second, burst, wanted = unpack(ARGV)

if record_key and redis.call('EXISTS', record_key) == 0 then return {'unknown_key'} end
local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local each_us, most = 1000000 / per_second, tonumber(burst)
local full_us = math.max(now_us, tonumber(redis.call('GET', bucket_key) or 0) or 0)

-- An empty bucket is full sooner than that: the clock was set back since, by more than clocks are wrong anyway, and
-- nothing is known of the bucket any more. Nobody is to wait for it.
if full_us > now_us + each_us * most + 1000000 then full_us = now_us end

local there = math.floor(most - (full_us - now_us) / each_us)
if there < 1 then return {'empty', math.ceil((full_us - now_us - each_us * (most - 1)) / 1000)} end
local taken = math.min(there, tonumber(wanted))
full_us = full_us + taken * each_us
-- At least a millisecond: at a high rate a token takes less than the clock shows.
redis.call('SET', bucket_key, string.format('%.0f', full_us), 'PX', math.max(1, math.ceil((full_us - now_us) / 1000)))
return {'taken', taken}
