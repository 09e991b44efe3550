-- Events after a seq, or false if the next one is not here (any more).
-- KEYS: meta, events   ARGV: after seq, limit
local seq = tonumber(redis.call('HGET', KEYS[1], 'seq'))
if not seq then return false end
local after, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
if after >= seq then return {} end
local first = seq - redis.call('LLEN', KEYS[2]) + 1
if after + 1 < first then return false end
if limit == 0 then return {} end
local from = after + 1 - first
return redis.call('LRANGE', KEYS[2], from, from + limit - 1)
