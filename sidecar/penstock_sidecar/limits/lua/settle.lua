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
local memory, process = ARGV[3] + 0, ARGV[4]
local ENDED_RECORD = '\146\161x\0' -- cmsgpack.pack({ ENDED, 0 }), which takes as long as much else
local changes = {} -- {function, its arguments...}
local freed = {}   -- key and lease, of each in turn

local function add(key, field, delta)
    put(key, field, known[key][field] + delta)
end

-- A refund belongs to the bucket that was charged, or nowhere once that has expired; what was used
-- beyond the hold counts from now on then.
local function change_window(w, delta, at, charged)
    local key, field = w.key, w.field
    local live = at >= w.current - SPAN and at >= (known[key][field .. 't'] or at)
    if live and known[key][charged] then
        add(key, field, delta)
        add(key, charged, delta)
    elseif delta > 0 then
        window(w)
        charge(w, delta)
    end
end

local function change_arrival(key, field, delta, _, interval)
    local from = known[key][field]
    if delta > 0 then
        if not from then -- the key may have expired
            keep(key, ceil(delta * interval / 1e6))
        end
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

local function plan_counts(kind, key, field, delta, at, width)
    if delta == 0 then
        return
    elseif kind == 'd' then
        ask(key, field)
        changes[#changes + 1] = { change_day, key, field, delta }
    elseif kind == 'g' then
        ask(key, field)
        changes[#changes + 1] = { change_arrival, key, field, delta, at, width }
    else
        local w = { key = key, field = field, width = width }
        ask_window(w, now)
        local charged = w.here
        if at ~= w.current then
            charged = bucket_field(field, at)
            ask(key, charged)
        end
        changes[#changes + 1] = { change_window, w, delta, at, charged }
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
        changes[#changes + 1] = { change_money, key, field .. held_as, amount, to }
    end
end

-- Returns what to remember: that it has ended, or the money that stays unsettled until it is
-- settled late or ages out.
local function plan_hold(record, ending)
    local owes = false
    for i = HEAD + 1, #record, STRIDE do
        local kind, unit, key, field, amount, at, width = unpack(record, i, i + STRIDE - 1)
        if kind == 'c' then
            freed[#freed + 1], freed[#freed + 2] = KEYS[key], ending.id
        elseif kind == 'm' then
            plan_money(record[1], key, field, amount, ending.spent_known)
            owes = not ending.spent_known
        elseif unit == 'r' then
            plan_counts(kind, key, field, ending.requests - amount, at, width)
        elseif ending.tokens >= 0 then
            plan_counts(kind, key, field, ending.tokens - amount, at, width)
        end
    end
    if not owes then
        return ENDED_RECORD, memory
    end
    local owed = { EXPIRED, record[2] }
    for i = HEAD + 1, #record, STRIDE do
        if record[i] == 'm' then
            for j = i, i + STRIDE - 1 do
                owed[#owed + 1] = record[j]
            end
        end
    end
    return cmsgpack.pack(owed), record[2]
end

local function read_sum(at)
    local key, field, total, told, base, seen, spenders, member = unpack(ARGV, at + 1, at + 8)
    local sum = {
        key = key + 0, field = field, total = total + 0, told = told + 0,
        base = base + 0, seen = seen + 0, spenders = spenders + 0,
        member = member,
    }
    ask_total(sum, process)
    return sum
end

local function read_ends()
    local ends, sums, ids, at = {}, {}, {}, 4
    while at < #ARGV do
        local id, requests, tokens, spent_known, count = unpack(ARGV, at + 1, at + 5)
        ids[#ids + 1], at = id, at + 5
        ends[#ids] = {
            id = id, requests = requests + 0, tokens = tokens + 0,
            spent_known = spent_known == '1',
        }
        for _ = 1, count + 0 do
            sums[#sums + 1], at = read_sum(at), at + 8
        end
    end
    return ends, sums, ids
end

-- A hold that was open is remembered for as long as it would have lived.
local function plan_ends(ends, ids)
    local states, records, deadlines = {}, {}, {}
    local packed = call('HMGET', HOLDS, unpack(ids))
    for h = 1, #ids do
        local record = packed[h] and cmsgpack.unpack(packed[h]) or { '', memory }
        states[h] = record[1]
        if record[1] ~= ENDED then
            local kept, keep_for = plan_hold(record, ends[h])
            records[#records + 1], records[#records + 2] = ids[h], kept
            if record[1] ~= OPEN or kept ~= ENDED_RECORD then
                deadlines[#deadlines + 1], deadlines[#deadlines + 2] = now + keep_for, ids[h]
            end
        end
    end
    return states, records, deadlines
end

local function tell_spenders(sum, settled)
    if sum.spenders > 0 then
        call('ZADD', KEYS[sum.spenders], settled, sum.member)
        call('PEXPIRE', KEYS[sum.spenders], 400 * DAY_MS)
    end
end

ask_state()
local ends, sums, ids = read_ends()
local states, records, deadlines = plan_ends(ends, ids)
fetch()
local closed = open_books(now)
if closed then
    return closed
end
for i = 1, #freed, 2 do
    call('ZREM', freed[i], freed[i + 1])
end
for i = 1, #changes do
    changes[i][1](unpack(changes[i], 2))
end
next_sequence()
local reply = { 1, sequence(), unpack(states) }
for i = 1, #sums do
    local settled = add_total(sums[i], now)
    tell_spenders(sums[i], settled)
    reply[#reply + 1] = settled
end
flush()
if #records > 0 then
    call('HSET', HOLDS, unpack(records))
end
if #deadlines > 0 then
    call('ZADD', EXPIRY, unpack(deadlines))
end
return reply
