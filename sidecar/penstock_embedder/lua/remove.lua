-- remove: removes the named vectors from partitions of one scope.
--
-- KEYS  1 SET partitions of the scope; 2... HASH vectors of each partition: name -> vector
-- ARGV  the partitions, in the order of KEYS, as the set names them; then the vectors' names
-- Returns how many were removed
--
-- A partition that is gone, by this or by its expiry, is named no longer.

local call = redis.call
local partitions = #KEYS - 1
local removed = 0
for place = 1, partitions do
    local key = KEYS[place + 1]
    removed = removed + call('HDEL', key, unpack(ARGV, partitions + 1))
    if call('EXISTS', key) == 0 then
        call('SREM', KEYS[1], ARGV[place])
    end
end
return removed
