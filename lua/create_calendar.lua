-- Makes a calendar of a user in a workspace; if it is enabled, its feed is read at once.
--
-- KEYS[1]  members_key    usher:{pX}:ws:<workspace_id>:members              hash: user_id -> role
-- KEYS[2]  calendars_key  usher:{pX}:ws:<workspace_id>:calendars:<user_id>  zset: when it was made (ms), 0: it is being
--                                                                           removed -> calendar_id
-- KEYS[3]  calendar_key   usher:{pX}:ws:<workspace_id>:calendar:<id>        hash: the calendar
-- KEYS[4]  due_key        usher:{pX}:calendars                              zset: when it is read (ms) -> calendar
-- ARGV[1]     calendar_id  text
-- ARGV[2]     user_id      text
-- ARGV[3]     member       text: `<workspace_id> <calendar_id>`
-- ARGV[4]     most         integer: how many a user may have, and as many again that are being removed
-- ARGV[5]     is_enabled   flag
-- ARGV[6...]  fields       pairs: its fields, each followed by its value
--
-- Returns 'created'         (change)
--         'unknown_member'  the user is no member of the workspace
--         'too_many'        the user has as many as a user may have

-- include: time

local members_key, calendars_key, calendar_key, due_key = unpack(KEYS)
local calendar_id, user_id, member, most, is_enabled = unpack(ARGV, 1, 5)
local fields = {unpack(ARGV, 6)}

if redis.call('HEXISTS', members_key, user_id) == 0 then return 'unknown_member' end
if redis.call('ZCOUNT', calendars_key, '(0', '+inf') >= tonumber(most)
  or redis.call('ZCARD', calendars_key) >= 2 * most then return 'too_many' end
local at = string.format('%d', now_ms())
redis.call('HSET', calendar_key, 'id', calendar_id, 'user_id', user_id, 'created_at', at, 'enabled', is_enabled,
  unpack(fields))
if is_enabled == '1' then redis.call('HSET', calendar_key, 'asked_at', at) end
redis.call('ZADD', calendars_key, at, calendar_id)
-- One that is disabled is looked at, as its user may leave.
redis.call('ZADD', due_key, at, member)
return 'created'
