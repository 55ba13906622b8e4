-- Which webhook of a workspace is its first one, that clients know who know of no more than one: the one that the field
-- `first_webhook` of the workspace names; where that names none, the oldest. `none` stands for that the first one was
-- removed while there were others, none of which is to take its place: who asks for that again, as the answer was lost,
-- would remove it. Nil if there is none. `keys` has the members workspace (hash) and webhooks (zset).
local function first_webhook(keys)
  local named = redis.call('HGET', keys.workspace, 'first_webhook')
  if not named then return redis.call('ZRANGE', keys.webhooks, 0, 0)[1] end
  return redis.call('ZSCORE', keys.webhooks, named) and named or nil
end
