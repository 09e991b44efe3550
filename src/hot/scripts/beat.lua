-- A boot says that it lives. A boot that lost its name to another one cannot take it back.
-- KEYS: boot, past   ARGV: boot, time to live in ms
local current = redis.call('GET', KEYS[1])
if current ~= ARGV[1] then
  for _, past in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
    if past == ARGV[1] then return 0 end
  end
  if current then
    redis.call('LPUSH', KEYS[2], current)
    redis.call('LTRIM', KEYS[2], 0, 7)
    redis.call('EXPIRE', KEYS[2], 86400)
  end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
