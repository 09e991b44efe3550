-- A session and its newest events, as of one moment.
-- KEYS: meta, events   ARGV: number of events
local state = redis.call('HMGET', KEYS[1], 'meta', 'running', 'flushed')
if not state[1] then return false end
local events = {}
if tonumber(ARGV[1]) > 0 then events = redis.call('LRANGE', KEYS[2], '-' .. ARGV[1], -1) end
return {state[1], state[2] or '', state[3], events}
