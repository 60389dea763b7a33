-- What all scripts of a slot group share: each of the other files runs appended to this one.
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

local STATE, HOLDS, EXPIRY = 1, KEYS[2], KEYS[3]
local SPAN = 60               -- buckets of a window; the oldest, partial one is counted besides
local SWEEP_MOST = 16
local LEARNING = 5e6          -- so long do all sidecars have to tell what they know
local SILENCE = 1800e6        -- whom the operator did not hear for twice this, it drops :I<process> of
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
-- value is known[key][field]. keeps: for how long an idle key is kept, ms.
local asked, known, written, dropped, keeps = {}, {}, {}, {}, {}

local function append(lists, key, value)
    local list = lists[key]
    if list then
        list[#list + 1] = value
    else
        lists[key] = { value }
    end
end

local function ask(key, field)
    append(asked, key, field)
end

local function fetch()
    for key, fields in pairs(asked) do
        local values = known[key] or {}
        for i, value in ipairs(call('HMGET', KEYS[key], unpack(fields))) do
            values[fields[i]] = value and tonumber(value)
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
        local pairs_ = {}
        for i, field in ipairs(fields) do
            pairs_[2 * i - 1], pairs_[2 * i] = field, known[key][field]
        end
        call('HSET', KEYS[key], unpack(pairs_))
        if key > FIXED and keeps[key] then
            call('PEXPIRE', KEYS[key], keeps[key])
        end
    end
end

-- The epoch names the data since it was last lost, and is when that was: a smaller one than before
-- is older data that came back. Who remembers another one is told, and tells what he knows
-- (publish.lua). The sequence number grows with every change: a smaller one than before is a
-- failover that forgot the last changes. While @learning lies ahead nothing that is limited is
-- admitted.
local function ask_state()
    ask(STATE, '@epoch')
    ask(STATE, '@seq')
    ask(STATE, '@learning')
end

local function begin_learning(now)
    local learning = call('HGET', KEYS[STATE], '@learning')
    if not learning then
        call('HSET', KEYS[STATE], '@learning', now + LEARNING)
    end
end

-- What the script returns where the caller knows another epoch; else nil.
local function open_books(now)
    local theirs, ours = tonumber(ARGV[1]), known[STATE]['@epoch']
    if ours and ours == theirs then
        return nil
    end
    if not ours then
        ours = max(now, theirs + 1)
        call('HSET', KEYS[STATE], '@epoch', ours)
    end
    if theirs ~= 0 then
        begin_learning(now)
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

local function ask_window(key, field, current)
    ask(key, field)
    ask(key, field .. 't')
    ask(key, bucket_field(field, current))
end

-- The clock fell back by more than the window: all that it holds counts from now on, once. Written
-- at once, also when the call then refuses: else the window would stay locked for as long as the
-- clock fell.
local function rebase(key, field, first, current, sum)
    call('HDEL', KEYS[key], unpack(bucket_fields(field, first, first + SPAN)))
    local here = bucket_field(field, current)
    call('HSET', KEYS[key], field .. 't', current, here, sum)
    known[key][field .. 't'], known[key][here] = current, sum
    return current
end

-- A window as it is at `now`, with what has expired taken out; that is written by `charge` alone.
-- All that was ever charged lies in the buckets first..first + SPAN.
local function window(key, field, width, now)
    local current = floor(now / width)
    local sum, first = known[key][field] or 0, known[key][field .. 't'] or nil
    if first and first > current then
        first = rebase(key, field, first, current, sum)
    end
    local w = { key = key, field = field, width = width, current = current, sum = sum, first = first }
    if not first then
        w.first = current - SPAN
    elseif first < current - SPAN then
        local last = min(first + SPAN, current - SPAN - 1)
        w.dead = bucket_fields(field, first, last)
        w.first = current - SPAN
        if last == first + SPAN then
            w.sum = 0
        else
            for _, value in ipairs(call('HMGET', KEYS[key], unpack(w.dead))) do
                w.sum = w.sum - (value or 0)
            end
        end
    end
    return w
end

local function charge(w, cost)
    for _, field in ipairs(w.dead or {}) do
        append(dropped, w.key, field)
    end
    local here = bucket_field(w.field, w.current)
    put(w.key, w.field, w.sum + cost)
    put(w.key, w.field .. 't', w.first)
    put(w.key, here, (known[w.key][here] or 0) + cost)
    keep(w.key, ceil(2 * (SPAN + 1) * w.width / 1000))
end

-- Microseconds until `excess` has left the window.
local function time_to_free(w, excess, now)
    local bucket = w.first
    local fields = bucket_fields(w.field, w.first, w.first + SPAN)
    for i, value in ipairs(call('HMGET', KEYS[w.key], unpack(fields))) do
        excess = excess - (value or 0)
        bucket = w.first + i - 1
        if excess <= 0 then
            break
        end
    end
    return (bucket + SPAN + 1) * w.width - now
end

-- GCRA (ITU-T I.371): a request conforms while the theoretical arrival time is no more than the
-- tolerance ahead, and moves it by its cost. The interval is in nanoseconds; charges are rounded up
-- and refunds down. A clock that fell back locks for one horizon at most.
local function arrival(key, field, horizon, now)
    return min(max(known[key][field] or now, now), now + horizon)
end

local function move_arrival(key, field, from, cost, interval)
    local delta = cost >= 0 and ceil(cost * interval / 1000) or -floor(-cost * interval / 1000)
    put(key, field, from + delta)
end

local function move(field, from, to, amount)
    if call('HEXISTS', KEYS[STATE], field .. from) == 1 then -- else the period is long over
        call('HINCRBY', KEYS[STATE], field .. from, 0 - amount) -- -amount could be '-0'
        if to then
            call('HINCRBY', KEYS[STATE], field .. to, amount)
        end
    end
end

-- Of the budgets in `state`; a user's own keep theirs as reserved: whose key it is, only his own
-- calls know.
local function move_money(record, from, to)
    for i = HEAD + 1, #record, STRIDE do
        if record[i] == 'm' and record[i + 2] == STATE then
            move(record[i + 3], from, to, record[i + 4])
        end
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

-- Adds to S what a process has settled since it was last heard: `total` is all that it ever did. So
-- S is the sum of all totals, also after a failover that forgot some of them.
--
-- Where this data never knew the process (I is missing), the data may have been lost since it last
-- answered: of its total, `base` may have been part of what the others told or saw then, and `seen`
-- is the least that all had settled together. Two sums are kept from then on: P, what all told here
-- in all, and N, of that what nobody had told before the loss. S is the largest of what is sure: P
-- alone, or what somebody saw and N on top. Either counts nothing twice; P lacks only processes that
-- are gone. Where nothing was ever lost, base and seen are 0, and P and N are S.
--
-- A process that was silent may have been dropped by the operator: then `told`, what it heard that
-- it had told here, is counted.
local function ask_total(sum, process)
    sum.settled, sum.own = sum.field .. ':S', sum.field .. ':I' .. process
    sum.all, sum.new = sum.field .. ':P', sum.field .. ':N'
    ask(sum.key, sum.settled)
    ask(sum.key, sum.own)
    ask(sum.key, sum.all)
    ask(sum.key, sum.new)
end

local function was_dropped(sum, now)
    local heard = tonumber(ARGV[2])
    return sum.told > 0 and heard > 0 and now - heard > SILENCE
end

local function add_total(sum, now)
    local values, key, total = known[sum.key], sum.key, sum.total
    local settled, last = values[sum.settled] or 0, values[sum.own]
    local all, new = values[sum.all] or settled, values[sum.new] or settled
    if not last and was_dropped(sum, now) then
        last = sum.told
    end
    local news = max(0, total - (last or sum.base))
    local told = last and news or total
    put(key, sum.own, max(last or 0, total))
    put(key, sum.settled, max(settled + news, all + told, last and 0 or sum.seen + new + news))
    if all + told < values[sum.settled] or values[sum.all] then
        put(key, sum.all, all + told)
    end
    if new + news < values[sum.settled] or values[sum.new] then
        put(key, sum.new, new + news)
    end
    if key > FIXED and call('PTTL', KEYS[key]) < 0 then
        keep(key, 3 * DAY_MS)
    end
    return values[sum.settled]
end
