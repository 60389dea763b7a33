-- raise: brings settled sums back to what is known to be spent, after a loss of data.
--
-- KEYS  1 HASH state of a slot group
-- ARGV  1 for how long nothing is admitted after a loss, us; 2 1 if the loss was seen a while ago,
--       else 0; then for each sum: its field, micro-USD known
-- Returns {sums raised, sums left for the next time}
--
-- Sums only ever grow. Where the data was lost (no @epoch, or @learning lies ahead) they are raised
-- at once: sidecars that tell what they know change nothing below it (see add_total of the sidecar's
-- ledger.lua). Where the server is only behind, as after a failover, sidecars add what it missed to
-- what it has, so that they go first; what they did not bring back is raised the next time.
-- Epochs and times are those of the sidecar's ledger.lua.

local call, state = redis.call, KEYS[1]
local time = call('TIME')
local now = time[1] * 1e6 + time[2]
local lost = not call('HGET', state, '@epoch')
if lost then
    call('HSET', state, '@epoch', now)
    call('HSETNX', state, '@learning', now + ARGV[1])
end
local learning = tonumber(call('HGET', state, '@learning') or 0) > now
local raised, left = 0, 0
for i = 3, #ARGV, 2 do
    if tonumber(call('HGET', state, ARGV[i]) or 0) < tonumber(ARGV[i + 1]) then
        if learning or ARGV[2] == '1' then
            local name, was = ARGV[i]:sub(1, -2), call('HGET', state, ARGV[i]) or 0
            call('HSETNX', state, name .. 'P', was) -- see add_total there: else these would be S
            call('HSETNX', state, name .. 'N', was)
            call('HSET', state, ARGV[i], ARGV[i + 1])
            raised = raised + 1
        else
            left = left + 1
        end
    end
end
if raised > 0 then
    call('HINCRBY', state, '@seq', 1)
end
return { raised, left }
