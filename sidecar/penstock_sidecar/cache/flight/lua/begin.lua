-- begin: joins the flight for an answer, as its leader where there is none, else behind him.
--
-- KEYS[1]  the flight: HASH, which lives from beat to beat
--            owner     the leader's token; none between two leaders
--            fence     his number: each leader's is above those of all before him
--            failures  leaders in a row whose providers failed
--            alone     1: everybody goes alone until this is gone; there is no leader then
-- KEYS[2]  the answer: STRING, sealed
-- ARGV[1]  the token of who joins; who leads already, and asks again, leads on
-- ARGV[2]  ms that he leads without a beat
-- ARGV[3]  seal of an answer that he has seen and cannot use, or nothing; `*` is any
-- Returns  {'answered', its seal} | {'lead', fence} | {'follow', ms till the next beat is due}
--          | {'alone'}

local flight, token = KEYS[1], ARGV[1]
local seal = redis.call('GETRANGE', KEYS[2], 0, 31)
if seal ~= '' and ARGV[3] ~= '*' and seal ~= ARGV[3] then
  return { 'answered', seal }
end

local owner, fence, alone = unpack(redis.call('HMGET', flight, 'owner', 'fence', 'alone'))
if alone then
  return { 'alone' }
end
if owner and owner ~= token then
  return { 'follow', redis.call('PTTL', flight) }
end
if not owner then
  -- Time outlives the flight: a number is never given again, though the former one is forgotten.
  local time = redis.call('TIME')
  local latest = math.max(time[1] * 1000000 + time[2], (tonumber(fence) or 0) + 1)
  fence = string.format('%.0f', latest)
  redis.call('HSET', flight, 'owner', token, 'fence', fence)
end
redis.call('PEXPIRE', flight, ARGV[2])
return { 'lead', fence }
