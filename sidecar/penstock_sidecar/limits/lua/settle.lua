-- settle: ends holds with what they really used; what was held and not used is free again. A hold
-- that has ended stays as it is. An unknown one is marked as ended, in case its acquire comes later.
--
-- KEYS  as in ledger.lua, 4.. in the order that acquire was given
-- ARGV  1 how long an ended hold is remembered, us. For each hold: id, 1 if its requests count or
--       0, tokens used (-1: as held), micro-USD spent (-1: nobody knows, it stays unsettled)
-- Returns for each hold its former state: o open, e expired, x ended, or '' where unknown

local now = clock()
local memory = tonumber(ARGV[1])
local ENDED_RECORD = cmsgpack.pack({ ENDED })
local changes = {} -- {function, its arguments...}

local function add(key, field, delta)
    put(key, field, known[key][field] + delta)
end

-- A refund belongs to the bucket that was charged, or nowhere once that has expired; what was used
-- beyond the hold counts from now on then.
local function change_window(key, field, delta, at, width)
    local charged = bucket_field(field, at)
    local live = at >= floor(now / width) - SPAN and at >= (known[key][field .. 't'] or at)
    if live and known[key][charged] then
        add(key, field, delta)
        add(key, charged, delta)
    elseif delta > 0 then
        charge(window(key, field, width, now), delta)
    end
end

local function change_day(key, field, delta)
    if known[key][field] then
        add(key, field, delta)
    end
end

local function change_money(key, from, amount, to, moved)
    if known[key][from] then -- else the period is long over
        add(key, from, -amount)
        put(key, to, (known[key][to] or 0) + moved)
    end
end

local function plan(...)
    changes[#changes + 1] = { ... }
end

local function plan_counts(kind, key, field, delta, at, width)
    if delta == 0 then
        return
    elseif kind == 'd' then
        ask(key, field)
        plan(change_day, key, field, delta)
    else
        ask_window(key, field, floor(now / width))
        ask(key, bucket_field(field, at))
        plan(change_window, key, field, delta, at, width)
    end
end

local function plan_money(state, field, amount, spent)
    local from, to = field .. (state == OPEN and ':R' or ':U'), field .. (spent < 0 and ':U' or ':S')
    if from ~= to then
        ask(1, from)
        ask(1, to)
        plan(change_money, 1, from, amount, to, spent < 0 and amount or spent)
    end
end

-- Returns what to remember: that it has ended, or the money that stays unsettled until it is
-- settled late.
local function plan_hold(id, record, requests, tokens, spent)
    local owed = { EXPIRED }
    for i = 2, #record, STRIDE do
        local kind, unit, key, field, amount, at, width = unpack(record, i, i + STRIDE - 1)
        if kind == 'c' then
            call('ZREM', KEYS[key], id)
        elseif kind == 'm' then
            plan_money(record[1], field, amount, spent)
            for j = i, i + STRIDE - 1 do
                owed[#owed + 1] = record[j]
            end
        elseif unit == 'r' then
            plan_counts(kind, key, field, amount * (requests - 1), at, width)
        elseif tokens >= 0 then
            plan_counts(kind, key, field, tokens - amount, at, width)
        end
    end
    if spent < 0 and #owed > 1 then
        return cmsgpack.pack(owed), MEMORY
    end
    return ENDED_RECORD, memory
end

local ids, states, records, ends = {}, {}, {}, {}
for i = 2, #ARGV - 3, 4 do
    ids[#ids + 1] = ARGV[i]
end
for h, packed in ipairs(call('HMGET', HOLDS, unpack(ids))) do
    local record = packed and cmsgpack.unpack(packed) or { '' }
    states[h] = record[1]
    if record[1] ~= ENDED then
        local a = 4 * h - 1
        local kept, keep_for = plan_hold(ids[h], record,
            tonumber(ARGV[a]), tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]))
        records[#records + 1], records[#records + 2] = ids[h], kept
        ends[#ends + 1], ends[#ends + 2] = now + keep_for, ids[h]
    end
end
fetch()
for _, change in ipairs(changes) do
    change[1](unpack(change, 2))
end
flush()
if #records > 0 then
    call('HSET', HOLDS, unpack(records))
    call('ZADD', EXPIRY, unpack(ends))
end
return states
