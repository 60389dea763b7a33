-- sweep: what becomes of holds that nobody renews, and of memories. KEYS and ARGV as in ledger.lua.

local SWEEP_MOST = 16

-- Of the budgets in `state`; a user's own keep theirs as reserved: whose key it is, only his own
-- calls know.
local function move_money(record, from, to)
    for i = HEAD + 1, #record, STRIDE do
        local kind, key, field, amount = record[i], record[i + 2], record[i + 3], record[i + 4]
        if kind == 'm' and key == STATE and call('HEXISTS', KEYS[STATE], field .. from) == 1 then
            call('HINCRBY', KEYS[STATE], field .. from, 0 - amount) -- -amount could be '-0'
            if to then
                call('HINCRBY', KEYS[STATE], field .. to, amount)
            end
        end -- else the period is long over
    end
end

-- Holds whose owner is gone become unsettled: their money stays counted, until it ages out.
local function sweep(now)
    local due = call('ZRANGEBYSCORE', EXPIRY, '-inf', now, 'LIMIT', 0, SWEEP_MOST)
    if #due == 0 then
        return
    end
    local forgotten = {}
    for i, packed in ipairs(call('HMGET', HOLDS, unpack(due))) do
        local record = packed and cmsgpack.unpack(packed)
        if record and record[1] == OPEN then
            move_money(record, ':R', ':U')
            record[1] = EXPIRED
            call('HSET', HOLDS, due[i], cmsgpack.pack(record))
            call('ZADD', EXPIRY, now + record[2], due[i])
        else
            if record and record[1] == EXPIRED then
                move_money(record, ':U')
            end
            forgotten[#forgotten + 1] = due[i]
        end
    end
    if #forgotten > 0 then
        call('HDEL', HOLDS, unpack(forgotten))
        call('ZREM', EXPIRY, unpack(forgotten))
    end
end
