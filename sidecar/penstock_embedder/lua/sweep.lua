-- sweep: removes those of the named vectors that have expired, and the partition where none is left.
--
-- KEYS  1 HASH vectors of the partition: name -> vector, its expiry in the first 8 bytes;
--       2 SET partitions of the scope
-- ARGV  1 the partition, as the set names it; then names
-- Returns how many were removed
--
-- Another embedder may have put a new one under the name: so it is looked at again here.

local call = redis.call
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local removed = 0
for place = 2, #ARGV do
    local kept = call('HGET', KEYS[1], ARGV[place])
    if kept and (#kept < 8 or struct.unpack('>I8', kept) <= now) then
        removed = removed + call('HDEL', KEYS[1], ARGV[place])
    end
end
if call('EXISTS', KEYS[1]) == 0 then
    call('SREM', KEYS[2], ARGV[1])
end
return removed
