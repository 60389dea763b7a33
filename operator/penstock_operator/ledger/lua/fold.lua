-- fold: drops what single sidecar processes told, of those not heard of for long; S keeps the sum.
--
-- KEYS  1 HASH state of a slot group; 2 ZSET members of it
-- ARGV  1 how long a process must have been silent, us; then pairs of process, its field in state
-- Returns how many fields were dropped
--
-- A process that is in no list of members is put there, as if heard of now: it may be about to say
-- that it lives, after a loss of data.

local call, state, members = redis.call, KEYS[1], KEYS[2]
local time = call('TIME')
local now = time[1] * 1e6 + time[2]
local dropped = 0
for i = 2, #ARGV, 2 do
    local heard = call('ZSCORE', members, ARGV[i])
    if not heard then
        call('ZADD', members, now, ARGV[i])
    elseif tonumber(heard) < now - ARGV[1] then
        dropped = dropped + call('HDEL', state, ARGV[i + 1])
    end
end
return dropped
