-- Removes every trace of a session from its slot.
-- KEYS: meta, events, records, order, dirty, watchers   ARGV: id
redis.call('ZREM', KEYS[5], ARGV[1])
return redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[6])
