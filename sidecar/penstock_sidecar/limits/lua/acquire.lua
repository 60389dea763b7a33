-- acquire: takes every hold of the call, or none; a refusal writes nothing but who waits. A hold
-- that is there already is not charged again.
--
-- KEYS  as in ledger.lua; turns.lua stands between the two
-- ARGV  3 life of the holds, us; 4 their memory, us
--       5 apps that wait: key (index in KEYS, 0 for none); 6 key of their turns; 7 who asks,
--       `<priority>:<app>`; 8 his weight; 9 1 if he waits when he is refused
--       number of subjects; for each: key of those told apart, member, most of them, life us,
--       first key, number of keys, distance to those which further subjects share
--       number of holds; for each: id, money wanted and the least of it (micro-USD), number of
--       items; for each item: kind, unit (r requests, t tokens, m money, c slots), key, field,
--       limit, enforced (1, or 0 to count only), cost; then
--         w  width of a bucket, us
--         g  interval, ns; tolerance, us; horizon, us
--         d and m  start and end of the period, end of the next, us; labels of the period before
--            last, the last, this and the next: this clock decides which one it is
--         c  nothing
-- Returns {1, sequence, subjects that share, granted money of each hold, then remaining and us to
--            reset of each item, then key and field of each item of money}
--         {0, sequence, subjects that share, item that refuses longest, us to wait or -1 for ever,
--            1 if it is somebody else's turn, then remaining and us to reset as above}
--         {2} a hold has ended already: its release overtook this call

local NEVER = -1
local SLOT_WAIT = 1e6   -- nobody can know when a request ends
local YEARS_MS = 400 * DAY_MS
local now = clock()
local life, memory = tonumber(ARGV[3]), tonumber(ARGV[4])
local cursor = 9

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
    item.reset, item.keep = stop - now, next_stop - now
    if now < start then
        which, item.reset = 2, start - now
    elseif now >= stop then
        which, item.reset, item.keep = 4, next_stop - now, 2 * next_stop - stop - now
    end
    item.at = item.field .. ':' .. labels[which]
    item.stale = labels[which - 2] and item.field .. ':' .. labels[which - 2]
    item.keep = min(YEARS_MS, ceil(item.keep / 1000) + DAY_MS)
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

kinds.g = {
    read = function(item)
        item.width, item.tolerance, item.horizon = number(), number(), number()
        ask(item.key, item.field)
    end,
    -- A token request may be larger than what is left: the next one waits for it.
    judge = function(item)
        item.arrival = arrival(item.key, item.field, item.horizon, now)
        local ahead = item.arrival - now
        item.room, item.reset = 0, ahead
        if ahead <= item.tolerance then
            local burst = floor((item.tolerance - ahead) * 1000 / item.width) + 1
            item.room = max(item.cost, min(item.limit, burst))
        end
    end,
    wait = function(item)
        return item.arrival - item.tolerance - now
    end,
    charge = function(item)
        move_arrival(item.key, item.field, item.arrival, item.cost, item.width)
        keep(item.key, ceil(2 * item.horizon / 1000))
        return item.field, 0
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
        keep(item.key, item.keep)
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
            for _, part in ipairs({ ':S', ':R', ':U', ':P', ':N' }) do
                append(dropped, item.key, item.stale .. part)
            end
        end
        put(item.key, item.reserved, (values[item.reserved] or 0) + item.cost)
        keep(item.key, item.keep)
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
        call('PEXPIRE', slots, ceil(life / 1000))
        return '', item.limit
    end,
}

-- Subjects beyond the most that are told apart share the keys of all such.
local shared, sharing, newcomers = {}, 0, {}

local function tell_apart(subject)
    local known_until = call('ZSCORE', subject.set, subject.member)
    local live = known_until and tonumber(known_until) > now
    if not live and call('ZCOUNT', subject.set, format('(%.0f', now), '+inf') >= subject.most then
        sharing = sharing + 1
        for key = subject.first, subject.first + subject.keys - 1 do
            shared[key] = key + subject.distance
        end
    elseif not live or tonumber(known_until) < now + subject.life / 2 then
        newcomers[#newcomers + 1] = subject
    end
end

local function read_subjects()
    for _ = 1, number() do
        tell_apart({
            set = KEYS[number()], member = argument(), most = number(), life = number(),
            first = number(), keys = number(), distance = number(),
        })
    end
end

local function remember_subjects()
    for _, subject in ipairs(newcomers) do
        call('ZREMRANGEBYSCORE', subject.set, '-inf', now)
        call('ZADD', subject.set, now + subject.life, subject.member)
        call('PEXPIRE', subject.set, ceil(subject.life / 1000))
    end
end

local function read_holds()
    local holds, items, ids = {}, {}, {}
    for h = 1, number() do
        local hold = { id = argument(), granted = number(), least = number(), record = { OPEN, memory } }
        holds[h], ids[h] = hold, hold.id
        for _ = 1, number() do
            local item = {
                hold = hold, kind = argument(), unit = argument(), key = number(),
                field = argument(), limit = number(), enforced = argument() == '1', cost = number(),
            }
            item.key = shared[item.key] or item.key
            kinds[item.kind].read(item)
            items[#items + 1] = item
        end
    end
    return holds, items, ids
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
    local worst, longest, learning = 0, 0, learning_left(now)
    for i, item in ipairs(items) do
        local cost = item.kind == 'm' and item.hold.least or item.cost
        if (item.room < cost or learning > 0) and item.enforced and not item.hold.taken then
            local wait = learning
            if item.room < cost then
                wait = cost > item.limit and NEVER or max(wait, kinds[item.kind].wait(item))
            end
            if worst == 0 or wait == NEVER or (longest ~= NEVER and wait > longest) then
                worst, longest = i, wait
            end
        end
    end
    return worst, longest
end

-- For how many requests like this one there is room; without end where nothing new is asked.
local function room_for(items)
    local most = math.huge
    for _, item in ipairs(items) do
        local cost = item.kind == 'm' and item.hold.least or item.cost
        if item.enforced and not item.hold.taken then
            most = min(most, floor(item.room / max(1, cost)))
        end
    end
    return most
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
    next_sequence()
    flush()
    call('HSET', HOLDS, unpack(records))
    call('ZADD', EXPIRY, unpack(ends))
    remember_subjects()
    have_turn(now)
    sweep(now)
end

local function money_items(record)
    local fields, amount = {}, nil
    for i = HEAD + 1, #record, STRIDE do
        if record[i] == 'm' then
            fields[#fields + 1], fields[#fields + 2] = record[i + 2], record[i + 3]
            amount = record[i + 4]
        end
    end
    return fields, amount
end

local function granted(holds, items)
    local reply, fields = { 1, sequence(), sharing }, {}
    for h, hold in ipairs(holds) do
        local of_hold, amount = money_items(hold.taken or hold.record)
        reply[h + 3] = amount or hold.granted
        for _, field in ipairs(of_hold) do
            fields[#fields + 1] = field
        end
    end
    return reply, fields
end

local function add_standings(reply, items)
    for _, item in ipairs(items) do
        reply[#reply + 1], reply[#reply + 2] = item.room, item.reset
    end
end

ask_state()
read_subjects()
local holds, items, ids = read_holds()
fetch()
local closed = open_books(now)
if closed then
    return closed
end
if not recall(holds, call('HMGET', HOLDS, unpack(ids))) then
    return { 2 }
end
for _, item in ipairs(items) do
    kinds[item.kind].judge(item)
end
local refusing, wait = longest_refusal(items)
local not_my_turn = refusing == 0 and others_go_first(room_for(items), now)
if not_my_turn then
    refusing, wait = 1, TURN_WAIT
end
if refusing > 0 then
    if wait ~= NEVER then
        wait_for_turn(wait, now)
    end
    local reply = { 0, sequence(), sharing, refusing, wait, not_my_turn and 1 or 0 }
    add_standings(reply, items)
    return reply
end
commit(holds, items)
local reply, fields = granted(holds, items)
add_standings(reply, items)
for _, field in ipairs(fields) do
    reply[#reply + 1] = field
end
return reply
