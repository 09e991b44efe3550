-- What the archive does not have yet, as of one moment.
-- KEYS: meta, events, records, order, dirty   ARGV: id
local state = redis.call('HMGET', KEYS[1], 'meta', 'seq', 'flushed')
if not state[1] then
  -- A mark without its session would be found again in every round.
  redis.call('ZREM', KEYS[5], ARGV[1])
  return false
end
local missing = tonumber(state[2]) - tonumber(state[3])
local events, records = {}, {}
if missing > 0 then
  events = redis.call('LRANGE', KEYS[2], -missing, -1)
  for _, key in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '(' .. state[3], '+inf')) do
    records[#records + 1] = redis.call('HGET', KEYS[3], key)
  end
end
return {state[1], missing, events, records}
