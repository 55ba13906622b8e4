-- Appends a change of a meeting to the partition's event stream. `from` and `to` are pairs of
-- status and bot_status, as "INITIAL/requested"; `why` says who or what caused it; `traceparent` is that of the bot's
-- dispatch, if there is one.
local function record_event(events_key, max_length, at_ms, what, meeting_id, bot_id, from, to, why, traceparent)
  redis.call('XADD', events_key, 'MAXLEN', '~', max_length, '*', 'what', what, 'meeting_id', meeting_id,
    'bot_id', bot_id, 'from', from, 'to', to, 'why', why, 'at', at_ms,
    'trace_id', string.sub(traceparent or '', 4, 35))
end
