-- The archive has the session up to a seq: trims what both have, and lets go of a session that is wholly flushed.
-- KEYS: meta, events, records, order, dirty
-- ARGV: id, through seq, events to keep, records to keep, time to live in ms
local state = redis.call('HMGET', KEYS[1], 'seq', 'flushed')
if not state[1] then
  redis.call('ZREM', KEYS[5], ARGV[1])
  return 0
end
local seq, flushed, through = tonumber(state[1]), tonumber(state[2]), tonumber(ARGV[2])
if through > seq then through = seq end
if through > flushed then
  flushed = through
  redis.call('HSET', KEYS[1], 'flushed', flushed)
end

local length = redis.call('LLEN', KEYS[2])
local surplus = math.min(length - tonumber(ARGV[3]), length - (seq - flushed))
if surplus > 0 then redis.call('LTRIM', KEYS[2], surplus, -1) end

surplus = redis.call('ZCARD', KEYS[4]) - tonumber(ARGV[4])
if surplus > 0 then
  for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', flushed, 'LIMIT', 0, surplus)) do
    redis.call('ZREM', KEYS[4], key)
    redis.call('HDEL', KEYS[3], key)
  end
end

if flushed >= seq then
  redis.call('ZREM', KEYS[5], ARGV[1])
  for i = 1, 4 do redis.call('PEXPIRE', KEYS[i], ARGV[5]) end
else
  -- To the end of the line: one busy session must not keep the others from the archive.
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[5], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
end
return 1
