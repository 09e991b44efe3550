-- Puts what the archive knows in the place of a hot copy that is behind it or contradicts it, as wholly flushed.
-- Idempotency records stay: they are true wherever their events stand.
-- KEYS: meta, events, records, order, dirty
-- ARGV: id, seq of the copy that is replaced ('' for none), 'keep' | 'start' | 'clear', running JSON, meta JSON, seq,
--       time to live in ms, number of records, each record as seq, key and JSON, then each event as JSON
-- Returns 0 where the copy has changed since it was read.
local seq = redis.call('HGET', KEYS[1], 'seq') or ''
if seq ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[1], 'meta', ARGV[5], 'seq', ARGV[6], 'flushed', ARGV[6])
if ARGV[3] == 'start' then
  redis.call('HSET', KEYS[1], 'running', ARGV[4])
elseif ARGV[3] == 'clear' then
  redis.call('HDEL', KEYS[1], 'running')
end
local first = 9 + 3 * tonumber(ARGV[8])
for i = 9, first - 1, 3 do
  if redis.call('HSETNX', KEYS[3], ARGV[i + 1], ARGV[i + 2]) == 1 then
    redis.call('ZADD', KEYS[4], ARGV[i], ARGV[i + 1])
  end
end
for i = first, #ARGV do redis.call('RPUSH', KEYS[2], ARGV[i]) end
redis.call('ZREM', KEYS[5], ARGV[1])
for i = 1, 4 do redis.call('PEXPIRE', KEYS[i], ARGV[7]) end
return 1
