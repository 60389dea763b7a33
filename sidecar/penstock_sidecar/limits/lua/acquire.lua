-- acquire: takes every hold of the call, or none; a refusal writes nothing. A hold that is there
-- already is not charged again.
--
-- KEYS  as in ledger.lua
-- ARGV  1 life of the holds, us; 2 how long idle hashes in KEYS[4..] are kept, ms; 3 number of
--       holds. For each hold: id, money wanted and the least of it (micro-USD), number of items.
--       For each item: kind, unit (r requests, t tokens, m money, c slots), key (index in KEYS),
--       field, limit, enforced (1, or 0 to count only), cost; then
--         w  width of a bucket, us
--         d and m  start and end of the period, end of the next, us; labels of the period before
--            last, the last, this and the next: this clock decides which one it is
--         c  nothing
-- Returns {1, granted money of each hold, then remaining and us to reset of each item}
--         {0, item that refuses longest, us to wait or -1 for ever, then as above}
--         {2} a hold has ended already: its release overtook this call

local NEVER = -1
local SLOT_WAIT = 1e6 -- nobody can know when a request ends
local now = clock()
local life, keep = tonumber(ARGV[1]), ARGV[2]
local cursor = 2

local function argument()
    cursor = cursor + 1
    return ARGV[cursor]
end

local function number()
    cursor = cursor + 1
    return tonumber(ARGV[cursor])
end

local function read_period(item)
    local start, stop, next_stop = number(), number(), number()
    local labels = { argument(), argument(), argument(), argument() }
    local which = 3
    item.reset = stop - now
    if now < start then
        which, item.reset = 2, start - now
    elseif now >= stop then
        which, item.reset = 4, next_stop - now
    end
    item.at = item.field .. ':' .. labels[which]
    item.stale = labels[which - 2] and item.field .. ':' .. labels[which - 2]
end

local function until_reset(item)
    return item.reset
end

local kinds = {}

kinds.w = {
    read = function(item)
        item.width = number()
        item.at = floor(now / item.width)
        item.reset = (item.at + SPAN + 1) * item.width - now
        ask_window(item.key, item.field, item.at)
    end,
    judge = function(item)
        item.window = window(item.key, item.field, item.width, now)
        item.room = item.limit - item.window.sum
    end,
    wait = function(item)
        return time_to_free(item.window, item.cost - item.room, now)
    end,
    charge = function(item)
        charge(item.window, item.cost)
        return item.field, item.at
    end,
}

kinds.d = {
    read = function(item)
        read_period(item)
        ask(item.key, item.at)
    end,
    judge = function(item)
        item.room = item.limit - (known[item.key][item.at] or 0)
    end,
    wait = until_reset,
    charge = function(item)
        local used = known[item.key][item.at]
        if not used and item.stale then
            append(dropped, item.key, item.stale)
        end
        put(item.key, item.at, (used or 0) + item.cost)
        return item.at, 0
    end,
}

kinds.m = {
    read = function(item)
        read_period(item)
        item.settled, item.reserved, item.unsettled = item.at .. ':S', item.at .. ':R', item.at .. ':U'
        ask(item.key, item.settled)
        ask(item.key, item.reserved)
        ask(item.key, item.unsettled)
    end,
    judge = function(item)
        local values, hold = known[item.key], item.hold
        item.room = item.limit - (values[item.settled] or 0) - (values[item.reserved] or 0)
            - (values[item.unsettled] or 0)
        if item.enforced and item.room < hold.granted then
            hold.granted = item.room
        end
    end,
    wait = until_reset,
    charge = function(item)
        local values = known[item.key]
        if item.stale and not (values[item.settled] or values[item.reserved] or values[item.unsettled]) then
            for _, part in ipairs({ ':S', ':R', ':U' }) do
                append(dropped, item.key, item.stale .. part)
            end
        end
        put(item.key, item.reserved, (values[item.reserved] or 0) + item.cost)
        return item.at, 0
    end,
}

kinds.c = {
    read = function() end,
    judge = function(item)
        local live = call('ZCOUNT', KEYS[item.key], format('(%.0f', now), '+inf')
        item.room, item.reset = item.limit - live, SLOT_WAIT
    end,
    wait = until_reset,
    charge = function(item)
        local slots = KEYS[item.key]
        call('ZREMRANGEBYSCORE', slots, '-inf', now)
        call('ZADD', slots, now + life, item.hold.id)
        call('PEXPIRE', slots, math.ceil(life / 1000))
        return '', item.limit
    end,
}

local function read_holds()
    local holds, items, ids = {}, {}, {}
    for h = 1, number() do
        local hold = { id = argument(), granted = number(), least = number(), record = { OPEN } }
        holds[h], ids[h] = hold, hold.id
        for _ = 1, number() do
            local item = {
                hold = hold, kind = argument(), unit = argument(), key = number(),
                field = argument(), limit = number(), enforced = argument() == '1', cost = number(),
            }
            kinds[item.kind].read(item)
            items[#items + 1] = item
        end
    end
    fetch()
    return holds, items, call('HMGET', HOLDS, unpack(ids))
end

-- Marks the holds that are there already; false if one of them has ended.
local function recall(holds, packed)
    for h, hold in ipairs(holds) do
        hold.taken = packed[h] and cmsgpack.unpack(packed[h])
        if hold.taken and hold.taken[1] == ENDED then
            return false
        end
    end
    return true
end

local function longest_refusal(items)
    local worst, longest = 0, 0
    for i, item in ipairs(items) do
        local cost = item.kind == 'm' and item.hold.least or item.cost
        if item.room < cost and item.enforced and not item.hold.taken then
            local wait = cost > item.limit and NEVER or kinds[item.kind].wait(item)
            if worst == 0 or wait == NEVER or (longest ~= NEVER and wait > longest) then
                worst, longest = i, wait
            end
        end
    end
    return worst, longest
end

local function take(item)
    if item.kind == 'm' then
        item.cost = item.hold.granted
    end
    local field, at = kinds[item.kind].charge(item)
    local record = item.hold.record
    local n = #record
    record[n + 1], record[n + 2], record[n + 3], record[n + 4] = item.kind, item.unit, item.key, field
    record[n + 5], record[n + 6], record[n + 7] = item.cost, at, item.width or 0
    item.room = item.room - item.cost
end

local function commit(holds, items)
    local records, ends = {}, {}
    for _, item in ipairs(items) do
        if not item.hold.taken then
            take(item)
        end
    end
    for _, hold in ipairs(holds) do
        if not hold.taken then
            records[#records + 1], records[#records + 2] = hold.id, cmsgpack.pack(hold.record)
            ends[#ends + 1], ends[#ends + 2] = now + life, hold.id
        end
    end
    if #records == 0 then
        return
    end
    flush()
    call('HSET', HOLDS, unpack(records))
    call('ZADD', EXPIRY, unpack(ends))
    for key in pairs(written) do
        if key > 3 then
            call('PEXPIRE', KEYS[key], keep)
        end
    end
    sweep(now)
end

local function granted_money(hold)
    local record = hold.taken or {}
    for i = 2, #record, STRIDE do
        if record[i] == 'm' then
            return record[i + 4]
        end
    end
    return hold.granted
end

local holds, items, packed = read_holds()
if not recall(holds, packed) then
    return { 2 }
end
for _, item in ipairs(items) do
    kinds[item.kind].judge(item)
end
local refusing, wait = longest_refusal(items)
local reply = { 0, refusing, wait }
if refusing == 0 then
    commit(holds, items)
    reply = { 1 }
    for h, hold in ipairs(holds) do
        reply[h + 1] = granted_money(hold)
    end
end
for _, item in ipairs(items) do
    reply[#reply + 1], reply[#reply + 2] = item.room, item.reset
end
return reply
