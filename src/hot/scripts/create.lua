-- Makes an empty session and its dirty mark, unless the session is there.
-- KEYS: meta, dirty   ARGV: id, meta JSON
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'meta', ARGV[2], 'seq', '0', 'flushed', '0')
redis.call('ZADD', KEYS[2], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
return 1
