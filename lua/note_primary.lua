-- Notes since when this very server answers for a partition, as soon as anyone sees it. Repeating it changes nothing.
--
-- KEYS[1]  usher:{pX}:primary  hash: the server that answers, by its replication id, and since when (ms)
--
-- Returns that time, ms

-- include: time
-- include: primary

return primary_since(KEYS[1], now_ms())
