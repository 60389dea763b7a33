-- Counts what was asked, newer requests for more, and tells what is asked most.
--
-- A member's score is the binary logarithm of its weight, where each time that it was asked weighs
-- 2 ^ (then / half-life): so scores never have to be lowered as time goes by.
--
-- KEYS  1 ZSET: answers -> score
-- ARGV  1 half-life, seconds  2 members to keep, at most  3 life after the last count, ms
--       4 how many to tell  5.. pairs of answer, how often
-- Returns the names of the most asked, the most asked first.

local popular, half_life = KEYS[1], tonumber(ARGV[1])
local time = redis.call('TIME')
local now = (time[1] + time[2] / 1000000) / half_life

for i = 5, #ARGV, 2 do
  local score = now + math.log(ARGV[i + 1]) / math.log(2)
  local before = redis.call('ZSCORE', popular, ARGV[i])
  if before then
    local most, least = math.max(before, score), math.min(before, score)
    score = most + math.log(1 + 2 ^ (least - most)) / math.log(2)
  end
  redis.call('ZADD', popular, string.format('%.17g', score), ARGV[i])
end
if #ARGV > 4 then -- a look alone keeps nothing alive
  redis.call('ZREMRANGEBYRANK', popular, 0, -1 - ARGV[2])
  redis.call('PEXPIRE', popular, ARGV[3])
end
return redis.call('ZRANGE', popular, 0, ARGV[4] - 1, 'REV')
