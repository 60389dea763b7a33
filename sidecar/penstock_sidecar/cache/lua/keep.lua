-- Keeps an answer, and no more answers of its scope than there may be.
--
-- KEYS  1 the answer   2 the scope's index of answers   3 a flight, if the answer is fenced by one
-- ARGV  1 the sealed answer   2 its lifetime, ms   3 its name   4 how many the scope may hold
--       5 the number of the flight's leader, if there is one; the flight ends here
--
-- Returns `false` where the flight has another leader, or none, and nothing is kept; else the names
-- that are over the bound, those first that would expire first: they are off the index, and the
-- caller deletes their answers.

if KEYS[3] and redis.call('HGET', KEYS[3], 'fence') ~= ARGV[5] then
    return false
end

local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
local lifetime_ms = tonumber(ARGV[2])

redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if KEYS[3] then
    redis.call('DEL', KEYS[3])
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now_ms))
redis.call('ZADD', KEYS[2], string.format('%.0f', now_ms + lifetime_ms), ARGV[3])
if redis.call('PTTL', KEYS[2]) < lifetime_ms then
    redis.call('PEXPIRE', KEYS[2], ARGV[2])
end

local over = redis.call('ZCARD', KEYS[2]) - tonumber(ARGV[4])
if over <= 0 then
    return {}
end
local dropped = redis.call('ZRANGE', KEYS[2], 0, over - 1)
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, over - 1)
return dropped
