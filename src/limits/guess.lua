-- Counts a guess of an account's password, undoes it, or forgets the account.
-- KEYS: the account; a hash of the guesses so far and of the time, in µs, before which the next one is refused.
-- ARGV: now in µs ('' for the clock of Redis, which all replicas share), 1 to guess, -1 to undo or 0 to forget, how many
-- guesses are free, the longest wait in µs, and for how many ms an account is kept.
-- Returns {0, 0, 0}, or {1, µs to wait, 0}.
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local what, free, longest = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
if what == 0 then
  redis.call('DEL', KEYS[1])
  return {0, 0, 0}
end

local kept = redis.call('HMGET', KEYS[1], 'guesses', 'open_at')
local guesses, open_at = tonumber(kept[1] or 0), tonumber(kept[2] or 0)
if what < 0 then
  guesses = math.max(guesses - 1, 0)
  open_at = now
else
  if open_at > now then return {1, open_at - now, 0} end
  guesses = guesses + 1
  open_at = now
  if guesses >= free then open_at = now + math.min(longest, 1000000 * 2 ^ math.min(guesses - free, 32)) end
end
redis.call('HSET', KEYS[1], 'guesses', guesses, 'open_at', string.format('%.0f', open_at))
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {0, 0, 0}
