-- The feeds: what live viewers are to be told, kept for an hour and up to a length, so that one who was away can go on.
-- A meeting's is what a viewer of it goes on from; its workspace's, which names the same entries, is what nodes follow.
-- Of segments an entry names those that were changed and the version that they have since: what they say is read from
-- the transcript, and only where that is still their version, so that nobody is told more than the transcript says.

-- `keys` has the members feed and feeds (streams). Where something else has their keys nobody is told, and all else
-- goes on: viewers matter less than bots.
local function tell(keys, trim, max_length, meeting_id, what, ...)
  local entry = redis.pcall('XADD', keys.feed, 'MAXLEN', trim, max_length, '*', 'what', what, ...)
  if entry.err then return end
  redis.call('PEXPIRE', keys.feed, 3600000)
  local told = redis.pcall('XADD', keys.feeds, 'MAXLEN', '~', 2000, '*', 'meeting_id', meeting_id,
    'entry', entry, 'what', what, ...)
  if told.err then return end
  redis.call('PEXPIRE', keys.feeds, 3600000)
end

local function tell_status(keys, meeting_id, to, at)
  tell(keys, '~', 500, meeting_id, 'status', 'to', to, 'at', at)
end

-- `writes` has the ids of the segments; in entries of about a kilobyte at most.
local function tell_segments(keys, meeting_id, bot_id, version, writes)
  local ids, first, bytes = {}, 1, 0
  for index, write in ipairs(writes) do
    ids[index] = write.id
    bytes = bytes + #write.id + 1
    if bytes > 1000 or index == #writes then
      tell(keys, '~', 500, meeting_id, 'segments', 'bot_id', bot_id, 'version', version,
        'ids', table.concat(ids, ' ', first, index))
      first, bytes = index + 1, 0
    end
  end
end

-- Nothing that was told before counts any more.
local function tell_deletion(keys, meeting_id)
  tell(keys, '=', 1, meeting_id, 'deleted')
end

-- What was told before is in the archive: from a place before this entry nobody goes on.
local function tell_move(keys)
  local entry = redis.pcall('XADD', keys.feed, 'MAXLEN', '=', 1, '*', 'what', 'moved')
  if entry.err then return end
  redis.call('PEXPIRE', keys.feed, 3600000)
end
