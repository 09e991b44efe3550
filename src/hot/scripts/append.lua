-- One step of a session: all of it or nothing.
-- KEYS: meta, events, records, order, dirty, watchers
-- ARGV: id, expected seq, new seq, meta JSON, idempotency key, record JSON ('' for none),
--       'keep' | 'start' | 'clear', running JSON, then each event as JSON
-- Returns {word, detail}, and after 'done' the session's watchers. Numbers stay text, for Lua would round and reformat large ones.
local state = redis.call('HMGET', KEYS[1], 'seq', 'flushed')
if not state[1] then return {'missing', ''} end
if ARGV[6] ~= '' then
  local record = redis.call('HGET', KEYS[3], ARGV[5])
  if record then return {'replayed', record} end
end
if state[1] ~= ARGV[2] then return {'conflict', state[1]} end

if #ARGV > 8 then
  for i = 9, #ARGV do redis.call('RPUSH', KEYS[2], ARGV[i]) end
  redis.call('HSET', KEYS[1], 'meta', ARGV[4], 'seq', ARGV[3])
  if ARGV[6] ~= '' then
    redis.call('HSET', KEYS[3], ARGV[5], ARGV[6])
    redis.call('ZADD', KEYS[4], ARGV[3], ARGV[5])
  end
  -- Only a session that was wholly flushed has a time to live, and now it is not.
  if state[1] == state[2] then
    for i = 1, 4 do redis.call('PERSIST', KEYS[i]) end
  end
  -- NX: a busy session keeps its place in the archivist's line.
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[5], 'NX', time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
end
if ARGV[7] == 'start' then
  redis.call('HSET', KEYS[1], 'running', ARGV[8])
elseif ARGV[7] == 'clear' then
  redis.call('HDEL', KEYS[1], 'running')
end
return {'done', '', unpack(redis.call('SMEMBERS', KEYS[6]))}
