-- Has a sequence give numbers above one that is taken.
--
-- KEYS[1]  sequence_key  usher:seq:meeting or usher:seq:user  string: the last number that was given
-- ARGV[1]  number  integer: the highest that is taken
--
-- Returns 'raised'  (change)
--         'above'   (change): it was there already

local sequence_key = unpack(KEYS)
local number = unpack(ARGV)

if (tonumber(redis.call('GET', sequence_key) or '') or 0) >= tonumber(number) then return 'above' end
redis.call('SET', sequence_key, number)
return 'raised'
