-- Takes one request from every limit, or from none if one of them refuses (GCRA).
-- KEYS: one for each limit; it holds the time, in µs, at which the limit's quota is whole again.
-- ARGV: now in µs ('' for the clock of Redis, which all replicas share), then interval in µs and burst of each limit.
-- Returns {0, requests left, µs until whole} of the first limit, or {number of the limit that refuses, µs to wait, 0}.
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local whole = {}
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  whole[i] = math.max(tonumber(redis.call('GET', key) or 0), now) + interval
  local wait = whole[i] - interval * burst - now
  if wait > 0 then return {i, wait, 0} end
end

for i, key in ipairs(KEYS) do
  local span = math.ceil((whole[i] - now) / 1000)
  redis.call('SET', key, string.format('%.0f', whole[i]), 'PX', span)
end
local left = math.floor(tonumber(ARGV[3]) - (whole[1] - now) / tonumber(ARGV[2]))
return {0, left, whole[1] - now}
