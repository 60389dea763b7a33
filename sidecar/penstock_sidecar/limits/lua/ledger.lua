-- What all scripts of a slot group share; each is this and what else it needs (scripts.py), because
-- the server defines every function anew with each call.
--
-- KEYS  1  HASH  state: budgets, and in a provider's group its limits
--       2  HASH  holds: id -> record, cmsgpack {state, memory, kind, unit, key, field, amount, at,
--                width, ...}: memory is for how long the end of an expired hold is waited for, us
--       3  ZSET  expiry: id -> when the hold ends by itself, or is forgotten
--       4..      where the call's other counters live: HASH (windows, days, users) or ZSET (leases)
-- ARGV  1 the epoch that the caller knows, 0 for none; 2 when his process last said here that it
--       lives, us by this clock, 0 for never in that epoch; then see each file
-- Returns {9, epoch} where the caller knows another epoch: the data is not what he remembers, and
--         nothing was done; else {what the file says, sequence number, ...}
--
-- Fields    window  <f> sum, <f>t first bucket within the sum, <f>b<n> bucket n
--           smooth  <f> theoretical arrival time (GCRA)
--           day     <f>:<label>
--           money   <f>:<label>:S settled, :R reserved, :U unsettled, :I<process> what a process
--                   has settled in all, :P and :N what is known since a loss (see `add_total`)
--           @epoch, @seq, @learning: see `open_books`
--
-- Every time is in microseconds of this server's clock. Numbers go to redis.call as numbers, which
-- it formats exactly; `..` and tostring() would keep 14 digits only, hence string.format.

local KEYS, ARGV = KEYS, ARGV -- faster than globals
local STATE, HOLDS, EXPIRY = 1, KEYS[2], KEYS[3]
local LEARNING = 5e6          -- so long do all sidecars have to tell what they know
local DAY_MS = 86400000
local FIXED = 3               -- keys beyond these have an expiry
local HEAD, STRIDE = 2, 7     -- values of a record before its items, and of an item
local OPEN, EXPIRED, ENDED = 'o', 'e', 'x'
local OTHER_EPOCH = 9
local format, floor, ceil, max, min, call =
    string.format, math.floor, math.ceil, math.max, math.min, redis.call

local function clock()
    local time = call('TIME')
    return time[1] * 1e6 + time[2]
end

local function bucket_field(field, bucket)
    return format('%sb%.0f', field, bucket)
end

local function bucket_fields(field, first, last)
    local fields = {}
    for bucket = first, last do
        fields[#fields + 1] = bucket_field(field, bucket)
    end
    return fields
end

-- Reads and writes that travel together: one HMGET, HDEL and HSET per key. Between them a field's
-- value is known[key][field]. keeps: for how long an idle key is kept at least, ms; its other
-- fields may keep it for longer.
local asked, known, written, dropped, keeps = {}, {}, {}, {}, {}

local function append(lists, key, value)
    local list = lists[key]
    if list then
        list[#list + 1] = value
    else
        lists[key] = { value }
    end
end

-- One field, or three at once.
local function ask(key, field, second, third)
    local list = asked[key]
    if not list then
        asked[key] = { field, second, third }
        return
    end
    local n = #list
    list[n + 1] = field
    if third then
        list[n + 2], list[n + 3] = second, third
    end
end

local function fetch()
    for key, fields in pairs(asked) do
        local values, found = known[key] or {}, call('HMGET', KEYS[key], unpack(fields))
        for i = 1, #fields do -- ipairs() takes twice as long
            values[fields[i]] = found[i] and found[i] + 0
        end
        known[key] = values
    end
    asked = {}
end

local function put(key, field, value)
    if value ~= known[key][field] then
        known[key][field] = value
        append(written, key, field)
    end
end

local function keep(key, ms)
    keeps[key] = max(keeps[key] or 0, ms)
end

local function flush()
    for key, fields in pairs(dropped) do
        call('HDEL', KEYS[key], unpack(fields))
    end
    for key, fields in pairs(written) do
        local pairs_, values = {}, known[key]
        for i = 1, #fields do
            pairs_[2 * i - 1], pairs_[2 * i] = fields[i], values[fields[i]]
        end
        call('HSET', KEYS[key], unpack(pairs_))
        if key > FIXED and keeps[key] then
            call('PEXPIRE', KEYS[key], max(keeps[key], call('PTTL', KEYS[key])))
        end
    end
end

-- The epoch names the data since it was last lost, and is when that was: a smaller one than before
-- is older data that came back. Who remembers another one is told, and tells what he knows
-- (publish.lua). The sequence number grows with every change: a smaller one than before is a
-- failover that forgot the last changes. While @learning lies ahead nothing that is limited is
-- admitted.
local function ask_state()
    ask(STATE, '@epoch', '@seq', '@learning')
end

-- What the script returns where the caller knows another epoch; else nil.
local function open_books(now)
    local theirs, ours = ARGV[1] + 0, known[STATE]['@epoch']
    if ours and ours == theirs then
        return nil
    end
    if not ours then
        ours = max(now, theirs + 1)
        call('HSET', KEYS[STATE], '@epoch', ours)
    end
    if theirs ~= 0 and not known[STATE]['@learning'] then
        call('HSET', KEYS[STATE], '@learning', now + LEARNING)
    end
    return { OTHER_EPOCH, ours }
end

local function learning_left(now)
    return max(0, (known[STATE]['@learning'] or 0) - now)
end

local function sequence()
    return known[STATE]['@seq'] or 0
end

local function next_sequence()
    put(STATE, '@seq', sequence() + 1)
end
