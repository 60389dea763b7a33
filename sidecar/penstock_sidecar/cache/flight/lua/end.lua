-- end: the leader leads no more. What is kept ends by the script that keeps it.
--
-- KEYS[1]  the flight; see begin.lua
-- ARGV[1]  his token
-- ARGV[2]  'refused': the next one may do better; 'failed': so may he, for some time;
--          'unkept': no answer will be kept, so that nobody should wait for one
-- ARGV[3]  ms for the next one to come
-- ARGV[4]  ms to go alone
-- ARGV[5]  failures in a row after which everybody goes alone
-- Returns  'alone', 'next', or 'lost' where he led no more

local flight, how = KEYS[1], ARGV[2]
if redis.call('HGET', flight, 'owner') ~= ARGV[1] then
  return 'lost'
end
local failures = 0
if how == 'failed' then
  failures = redis.call('HINCRBY', flight, 'failures', 1)
end
if how == 'unkept' or failures >= tonumber(ARGV[5]) then
  redis.call('DEL', flight)
  redis.call('HSET', flight, 'alone', 1)
  redis.call('PEXPIRE', flight, ARGV[4])
  return 'alone'
end
redis.call('HDEL', flight, 'owner')
redis.call('PEXPIRE', flight, ARGV[3])
return 'next'
