-- All or nothing. Part of acquire: KEYS and ARGV as in begin.lua.
local NEVER = -1
local TURN_WAIT = 5e4   -- us; nobody can know when others have had their turn
local OTHERS_TURN, RELEARNING = 1, 2

local function read_item(hold, at)
    local kind, unit, key, field, limit, enforced, cost = unpack(ARGV, at + 1, at + 7)
    key = key + 0
    local item = {
        hold = hold, kind = kind, unit = unit, key = shared[key] or key, field = field,
        limit = limit + 0, enforced = enforced == '1', cost = cost + 0,
    }
    return item, kinds[kind].read(item, at + 7)
end

local function read_holds(at)
    local holds, items, ids = {}, {}, {}
    for h = 1, ARGV[at] + 0 do
        local id, want, least, count = unpack(ARGV, at + 1, at + 4)
        local hold = {
            id = id, granted = want + 0, least = least + 0, record = { OPEN, memory },
        }
        holds[h], ids[h], at = hold, id, at + 4
        for _ = 1, count + 0 do
            items[#items + 1], at = read_item(hold, at)
        end
    end
    return holds, items, ids
end

-- Marks the holds that are there already; false if one of them has ended.
local function recall(holds, packed)
    for h = 1, #holds do
        local hold = holds[h]
        hold.taken = packed[h] and cmsgpack.unpack(packed[h])
        if hold.taken and hold.taken[1] == ENDED then
            return false
        end
    end
    return true
end

local function longest_refusal(items, learning)
    local worst, longest = 0, 0
    for i = 1, #items do
        local item = items[i]
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
    for i = 1, #items do
        local item = items[i]
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
    for i = 1, #items do
        if not items[i].hold.taken then
            take(items[i])
        end
    end
    for h = 1, #holds do
        local hold = holds[h]
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
    if remember_subjects then
        remember_subjects()
    end
    if have_turn then
        have_turn(now)
    end
    sweep(now)
end

-- Adds key and field of each; returns how much money the record holds.
local function add_money(fields, record)
    local amount
    for i = HEAD + 1, #record, STRIDE do
        if record[i] == 'm' then
            fields[#fields + 1], fields[#fields + 2] = record[i + 2], record[i + 3]
            amount = record[i + 4]
        end
    end
    return amount
end

local function granted(holds, items)
    local reply, fields = { 1, sequence(), sharing }, {}
    for h = 1, #holds do
        local hold = holds[h]
        reply[h + 3] = add_money(fields, hold.taken or hold.record) or hold.granted
    end
    return reply, fields
end

local function add_standings(reply, items)
    local n = #reply
    for i = 1, #items do
        reply[n + 2 * i - 1], reply[n + 2 * i] = items[i].room, items[i].reset
    end
end

local function answer(holds, items)
    commit(holds, items)
    local reply, fields = granted(holds, items)
    add_standings(reply, items)
    for i = 1, #fields do
        reply[#reply + 1] = fields[i]
    end
    return reply
end

local function refuse(items, refusing, wait, why)
    if wait_for_turn and wait ~= NEVER then
        wait_for_turn(wait, now)
    end
    local reply = { 0, sequence(), sharing, refusing, wait, why }
    add_standings(reply, items)
    return reply
end

ask_state()
local at, subjects = FIRST, ARGV[FIRST] + 0
if subjects > 0 then
    at = read_subjects(subjects, at)
end
local holds, items, ids = read_holds(at + 1)
fetch()
local closed = open_books(now)
if closed then
    return closed
end
if not recall(holds, call('HMGET', HOLDS, unpack(ids))) then
    return { 2 }
end
for i = 1, #items do
    kinds[items[i].kind].judge(items[i])
end
local learning = learning_left(now)
local refusing, wait = longest_refusal(items, learning)
if refusing > 0 then
    return refuse(items, refusing, wait, learning > 0 and RELEARNING or 0)
end
if others_go_first and others_go_first(room_for(items), now) then
    return refuse(items, 1, TURN_WAIT, OTHERS_TURN)
end
return answer(holds, items)
