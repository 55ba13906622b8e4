-- Writes the entry of a dispatch, which waits for a runner. Returns its id.
local function add_entry(dispatch_key, meeting_id, workspace_id, bot_id, epoch, room, dispatched_at, traceparent)
  return redis.call('XADD', dispatch_key, '*', 'meeting_id', meeting_id, 'workspace_id', workspace_id, 'bot_id', bot_id,
    'epoch', epoch, 'room', room, 'dispatched_at', dispatched_at, 'traceparent', traceparent)
end
