-- sweep: removes those of the named vectors that have expired.
--
-- KEYS  1 HASH vectors of a partition: name -> vector, its expiry in the first 8 bytes
-- ARGV  names
-- Returns how many were removed
--
-- Another embedder may have put a new one under the name: so it is looked at again here.

local call = redis.call
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local removed = 0
for _, name in ipairs(ARGV) do
    local kept = call('HGET', KEYS[1], name)
    if kept and (#kept < 8 or struct.unpack('>I8', kept) <= now) then
        removed = removed + call('HDEL', KEYS[1], name)
    end
end
return removed
