-- renew: lets holds live on. One that has expired is taken up again, its money reserved and its
-- slots with it; where a slot has gone to somebody else the request goes on without (an overrun).
--
-- KEYS  as in ledger.lua, 4.. in the order that acquire was given
-- ARGV  1 life of the holds, us; 2.. ids, possibly none: then it only sweeps
-- Returns {overruns, holds that are gone}

local now = clock()
local life = tonumber(ARGV[1])
local overruns, gone = 0, 0

local function renew_slot(id, key, limit)
    local slots = KEYS[key]
    local lease = tonumber(call('ZSCORE', slots, id) or 0)
    if lease <= now then
        call('ZREMRANGEBYSCORE', slots, '-inf', now)
        if call('ZCARD', slots) >= limit then
            overruns = overruns + 1
            return
        end
    end
    call('ZADD', slots, now + life, id)
    call('PEXPIRE', slots, math.ceil(life / 1000))
end

local function renew(id, record)
    for i = 2, #record, STRIDE do
        local kind, _, key, field, amount, at = unpack(record, i, i + STRIDE - 1)
        if kind == 'c' then
            renew_slot(id, key, at)
        elseif kind == 'm' and record[1] == EXPIRED then
            move(field, ':U', ':R', amount)
        end
    end
    if record[1] == EXPIRED then
        record[1] = OPEN
        call('HSET', HOLDS, id, cmsgpack.pack(record))
    end
    call('ZADD', EXPIRY, now + life, id)
end

local ids = { unpack(ARGV, 2) }
for i, packed in ipairs(#ids > 0 and call('HMGET', HOLDS, unpack(ids)) or {}) do
    local record = packed and cmsgpack.unpack(packed)
    if record and record[1] ~= ENDED then
        renew(ids[i], record)
    else
        gone = gone + 1
    end
end
sweep(now)
return { overruns, gone }
