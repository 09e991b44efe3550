-- Makes a cold session hot, unless it is hot: what is here is never older than the archive.
-- KEYS: meta, events, records, order, dirty
-- ARGV: id, meta JSON, seq, time to live in ms, number of records, each record as seq, key and JSON,
--       then each event as JSON
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
redis.call('HSET', KEYS[1], 'meta', ARGV[2], 'seq', ARGV[3], 'flushed', ARGV[3])
local first = 6 + 3 * tonumber(ARGV[5])
for i = 6, first - 1, 3 do
  redis.call('HSET', KEYS[3], ARGV[i + 1], ARGV[i + 2])
  redis.call('ZADD', KEYS[4], ARGV[i], ARGV[i + 1])
end
for i = first, #ARGV do redis.call('RPUSH', KEYS[2], ARGV[i]) end
for i = 1, 4 do redis.call('PEXPIRE', KEYS[i], ARGV[4]) end
return 1
