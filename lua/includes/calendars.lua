-- What is planned of a calendar is changed by who has the calendar's lease alone, and noted in the same step.

-- Whether a calendar's feed is the caller's to read (still).
local function has_lease(calendar_key, lease_end)
  return redis.call('HGET', calendar_key, 'lease_end') == lease_end
end
