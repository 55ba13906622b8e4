-- Notes what is planned of an occurrence of a calendar, if its feed is still the caller's to read.
--
-- flags: allow-oom
--
-- KEYS[1]  calendar_key     usher:{pX}:ws:<workspace_id>:calendar:<id>          hash: the calendar
-- KEYS[2]  occurrences_key  usher:{pX}:ws:<workspace_id>:calendar:<id>:planned  hash: occurrence -> its plan
-- ARGV[1]  lease_end   text: end of the lease, ms
-- ARGV[2]  occurrence  text
-- ARGV[3]  entry       text?: what is noted; nothing: it is forgotten
--
-- Returns 'noted'      (change)
--         'not_yours'  the lease is another's (any more): nothing is noted

-- include: calendars

local calendar_key, occurrences_key = unpack(KEYS)
local lease_end, occurrence, entry = unpack(ARGV)

if not has_lease(calendar_key, lease_end) then return 'not_yours' end
if entry == '' then
  redis.call('HDEL', occurrences_key, occurrence)
else
  redis.call('HSET', occurrences_key, occurrence, entry)
end
return 'noted'
