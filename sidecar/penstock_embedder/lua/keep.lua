-- keep: puts one vector into its partition, unless it has expired or there is no room.
--
-- KEYS  1 HASH vectors of the partition: name -> vector; 2 SET partitions of the scope
-- ARGV  1 name; 2 vector, with its expiry before it; 3 expiry, ms of the Unix epoch;
--       4 how many vectors a partition may have; 5 the partition, as the set names it
-- Returns 1 kept, 0 expired, -1 no room
--
-- Both keys live as long as the last vector in them.

local call = redis.call
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local expires = tonumber(ARGV[3])
if expires <= now then
    return 0
end
if call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) and call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
    return -1
end
call('HSET', KEYS[1], ARGV[1], ARGV[2])
call('SADD', KEYS[2], ARGV[5])
for _, key in ipairs(KEYS) do
    local left = call('PTTL', key) -- -1 just made
    if left < expires - now then
        call('PEXPIREAT', key, ARGV[3])
    end
end
return 1
