-- renew: lets holds live on. One that has expired is taken up again, its money reserved and its
-- slots with it; where a slot has gone to somebody else the request goes on without (an overrun).
--
-- KEYS  as in ledger.lua, 4.. in the order that acquire was given
-- ARGV  3 life of the holds, us; 4.. ids, possibly none: then it only sweeps
-- Returns {1, sequence, overruns, then the ids of holds that are gone}

local now = clock()
local life = ARGV[3] + 0
local overruns = 0
local reply = { 1, 0, 0 }

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
    call('PEXPIRE', slots, ceil(life / 1000))
end

local function renew(id, record)
    for i = HEAD + 1, #record, STRIDE do
        local kind, _, key, _, _, at = unpack(record, i, i + STRIDE - 1)
        if kind == 'c' then
            renew_slot(id, key, at)
        end
    end
    if record[1] == EXPIRED then
        move_money(record, ':U', ':R')
        record[1] = OPEN
        call('HSET', HOLDS, id, cmsgpack.pack(record))
    end
    call('ZADD', EXPIRY, now + life, id)
end

ask_state()
fetch()
local closed = open_books(now)
if closed then
    return closed
end
local ids = { unpack(ARGV, 4) }
for i, packed in ipairs(#ids > 0 and call('HMGET', HOLDS, unpack(ids)) or {}) do
    local record = packed and cmsgpack.unpack(packed)
    if record and record[1] ~= ENDED then
        renew(ids[i], record)
    else
        reply[#reply + 1] = ids[i]
    end
end
next_sequence()
flush()
sweep(now)
reply[2], reply[3] = sequence(), overruns
return reply
