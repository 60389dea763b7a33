-- beat: the leader says that he lives.
--
-- KEYS[1]  the flight; see begin.lua
-- ARGV[1]  his token
-- ARGV[2]  ms that he leads without a beat
-- Returns  1, or 0 where he leads no more

if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then
  return 0
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
