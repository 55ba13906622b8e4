-- Changes what users write into a meeting's record: name, participants, languages, notes and their like.
--
-- KEYS[1]  usher:{pX}:meeting:<meeting_id>  hash: the meeting
-- ARGV[1...]  fields, each followed by its value
--
-- Returns 1 changed, 0 there is no such meeting

-- include: time

if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'updated_at', now_ms(), unpack(ARGV, 1))
return 1
