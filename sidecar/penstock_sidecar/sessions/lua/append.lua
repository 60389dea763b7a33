-- Puts a turn at the end of a session, and lets go of the oldest beyond the bounds.
-- KEYS[1]  the session: ZSET, turn -> when it was added, us; the summary -> 0
-- KEYS[2]  when it was erased last: see erase.lua
-- ARGV[1]  the turn
-- ARGV[2]  most turns to go on from
-- ARGV[3]  most turns to lie there: more than ARGV[2] where older ones are to be summed up
-- ARGV[4]  most bytes of all turns
-- ARGV[5]  ms to live
-- ARGV[6]  1: only if the session is still there, for it was when the turn began
-- ARGV[7]  what KEYS[2] held when the turn began; empty: nothing, or nobody knows. Only if nothing
--          else is there now, for else it was erased since
-- Returns  the summary, if any, and the turns beyond ARGV[2], oldest first; nothing of it goes

local session, turn = KEYS[1], ARGV[1]
local erased = redis.call('GET', KEYS[2])
if erased and erased ~= ARGV[7] then
  return {}
end
if ARGV[6] == '1' and redis.call('EXISTS', session) == 0 then
  return {}
end

local now = redis.call('TIME')
redis.call('ZADD', session, string.format('%.0f', now[1] * 1000000 + now[2]), turn)
redis.call('PEXPIRE', session, ARGV[5])

local turns = redis.call('ZRANGEBYSCORE', session, '(0', '+inf')
local bytes = 0
for _, each in ipairs(turns) do
  bytes = bytes + #each
end
local first = 1
while first < #turns and (#turns - first >= tonumber(ARGV[3]) or bytes > tonumber(ARGV[4])) do
  redis.call('ZREM', session, turns[first])
  bytes = bytes - #turns[first]
  first = first + 1
end

local last = #turns - tonumber(ARGV[2])
if last < first then
  return {}
end
local older = redis.call('ZRANGEBYSCORE', session, 0, 0)
for place = first, last do
  older[#older + 1] = turns[place]
end
return older
