-- Makes a cold session hot, unless it is hot: what is here is never older than the archive.
-- KEYS: meta, events   ARGV: meta JSON, seq, time to live in ms, then each event as JSON
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('DEL', KEYS[2])
for i = 4, #ARGV do redis.call('RPUSH', KEYS[2], ARGV[i]) end
redis.call('HSET', KEYS[1], 'meta', ARGV[1], 'seq', ARGV[2], 'flushed', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
