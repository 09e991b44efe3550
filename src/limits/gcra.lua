-- Takes one request from every limit, or from none if one of them refuses (GCRA); or gives one back to every limit.
-- KEYS: one for each limit; it holds the time, in µs, at which the limit's quota is whole again.
-- ARGV: now in µs ('' for the clock of Redis, which all replicas share), 1 to take or -1 to give back, then interval in
-- µs and burst of each limit.
-- Returns {0, requests left, µs until whole} of the first limit, or {number of the limit that refuses, µs to wait, 0}.
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local taken = tonumber(ARGV[2])
local whole = {}
for i, key in ipairs(KEYS) do
  local interval, burst = tonumber(ARGV[2 * i + 1]), tonumber(ARGV[2 * i + 2])
  whole[i] = math.max(tonumber(redis.call('GET', key) or 0), now) + taken * interval
  whole[i] = math.max(whole[i], now)
  local wait = whole[i] - interval * burst - now
  if taken > 0 and wait > 0 then return {i, wait, 0} end
end

for i, key in ipairs(KEYS) do
  local span = math.ceil((whole[i] - now) / 1000)
  -- What is whole is like what was never asked.
  if span > 0 then
    redis.call('SET', key, string.format('%.0f', whole[i]), 'PX', span)
  else
    redis.call('DEL', key)
  end
end
local left = math.floor(tonumber(ARGV[4]) - (whole[1] - now) / tonumber(ARGV[3]))
return {0, left, whole[1] - now}
