-- settle: ends holds with what they really used; what was held and not used is free again. A hold
-- that has ended stays as it is. An unknown one is marked as ended, in case its acquire comes later.
-- Money is told as the process's total, so that saying it twice, late, or to a server that has
-- forgotten the hold adds it once.
--
-- KEYS  as in ledger.lua, 4.. in the order that acquire was given
-- ARGV  3 how long an ended hold is remembered, us; 4 the process. For each hold: id, how many of
--       its requests count, tokens used (-1: as held), 1 if what it spent is known or 0 (it stays
--       unsettled), number of sums; for each: key, field with its label, total, told, base and
--       seen (see add_total), key of the list of spenders (0 for none), member there
-- Returns {1, sequence, for each hold its former state: o open, e expired, x ended, or '' where
--          unknown, then S of each sum}

local now = clock()
local memory, process = tonumber(ARGV[3]), ARGV[4]
local ENDED_RECORD = cmsgpack.pack({ ENDED, 0 })
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

local function change_arrival(key, field, delta, _, interval)
    local from = known[key][field]
    if delta > 0 then
        from = max(from or now, now)
    end
    if from then
        move_arrival(key, field, from, delta, interval)
    end
end

local function change_day(key, field, delta)
    if known[key][field] then
        add(key, field, delta)
    end
end

local function change_money(key, from, amount, to)
    if known[key][from] then -- else the period is long over
        add(key, from, -amount)
        if to then
            put(key, to, (known[key][to] or 0) + amount)
        end
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
    elseif kind == 'g' then
        ask(key, field)
        plan(change_arrival, key, field, delta, at, width)
    else
        ask_window(key, field, floor(now / width))
        ask(key, bucket_field(field, at))
        plan(change_window, key, field, delta, at, width)
    end
end

local function plan_money(state, key, field, amount, spent_known)
    local held_as = (state == OPEN or key ~= STATE) and ':R' or ':U'
    local to = not spent_known and field .. (key == STATE and ':U' or ':R') or nil
    if field .. held_as ~= to then
        ask(key, field .. held_as)
        if to then
            ask(key, to)
        end
        plan(change_money, key, field .. held_as, amount, to)
    end
end

-- Returns what to remember: that it has ended, or the money that stays unsettled until it is
-- settled late or ages out.
local function plan_hold(id, record, requests, tokens, spent_known)
    local owed = { EXPIRED, record[2] }
    for i = HEAD + 1, #record, STRIDE do
        local kind, unit, key, field, amount, at, width = unpack(record, i, i + STRIDE - 1)
        if kind == 'c' then
            call('ZREM', KEYS[key], id)
        elseif kind == 'm' then
            plan_money(record[1], key, field, amount, spent_known)
            for j = i, i + STRIDE - 1 do
                owed[#owed + 1] = record[j]
            end
        elseif unit == 'r' then
            plan_counts(kind, key, field, requests - amount, at, width)
        elseif tokens >= 0 then
            plan_counts(kind, key, field, tokens - amount, at, width)
        end
    end
    if not spent_known and #owed > HEAD then
        return cmsgpack.pack(owed), record[2]
    end
    return ENDED_RECORD, memory
end

local cursor = 4

local function argument()
    cursor = cursor + 1
    return ARGV[cursor]
end

local function number()
    return tonumber(argument())
end

local function read_sum()
    local sum = {
        key = number(), field = argument(), total = number(), told = number(), base = number(),
        seen = number(), spenders = number(), member = argument(),
    }
    ask_total(sum, process)
    return sum
end

local function read_ends()
    local ends, sums = {}, {}
    while cursor < #ARGV do
        ends[#ends + 1] = {
            id = argument(), requests = number(), tokens = number(), spent_known = argument() == '1',
        }
        for _ = 1, number() do
            sums[#sums + 1] = read_sum()
        end
    end
    return ends, sums
end

local function tell_spenders(sum, settled)
    if sum.spenders > 0 then
        call('ZADD', KEYS[sum.spenders], settled, sum.member)
        call('PEXPIRE', KEYS[sum.spenders], 400 * DAY_MS)
    end
end

ask_state()
local ends, sums = read_ends()
fetch()
local closed = open_books(now)
if closed then
    return closed
end
local reply, records, deadlines, ids = { 1, 0 }, {}, {}, {}
for i, each in ipairs(ends) do
    ids[i] = each.id
end
for h, packed in ipairs(call('HMGET', HOLDS, unpack(ids))) do
    local each = ends[h]
    local record = packed and cmsgpack.unpack(packed) or { '', memory }
    reply[#reply + 1] = record[1]
    if record[1] ~= ENDED then
        local kept, keep_for = plan_hold(each.id, record, each.requests, each.tokens, each.spent_known)
        records[#records + 1], records[#records + 2] = each.id, kept
        deadlines[#deadlines + 1], deadlines[#deadlines + 2] = now + keep_for, each.id
    end
end
fetch()
for _, change in ipairs(changes) do
    change[1](unpack(change, 2))
end
for _, sum in ipairs(sums) do
    local settled = add_total(sum, now)
    tell_spenders(sum, settled)
    reply[#reply + 1] = settled
end
next_sequence()
reply[2] = sequence()
flush()
if #records > 0 then
    call('HSET', HOLDS, unpack(records))
    call('ZADD', EXPIRY, unpack(deadlines))
end
return reply
