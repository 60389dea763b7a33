-- What all scripts of a slot group share: each of the other files runs appended to this one.
--
-- KEYS  1  HASH  state: budgets, and in a provider's group its limits
--       2  HASH  holds: id -> record, cmsgpack {state, kind, unit, key, field, amount, at, width, ...}
--       3  ZSET  expiry: id -> when the hold ends by itself, or is forgotten
--       4..      where the call's other limits live: HASH (windows, days) or ZSET (leases)
-- ARGV  see each file
--
-- Fields    window  <f> sum, <f>t first bucket within the sum, <f>b<n> bucket n
--           day     <f>:<label>
--           money   <f>:<label>:S settled, :R reserved, :U unsettled
--
-- Every time is in microseconds of this server's clock. Numbers go to redis.call as numbers, which
-- it formats exactly; `..` and tostring() would keep 14 digits only, hence string.format.

local HOLDS, EXPIRY = KEYS[2], KEYS[3]
local SPAN = 60               -- buckets of a window; the oldest, partial one is counted besides
local SWEEP_MOST = 16
local MEMORY = 26 * 3600 * 1e6 -- for so long can an expired hold still be settled
local STRIDE = 7              -- values of an item within a record
local OPEN, EXPIRED, ENDED = 'o', 'e', 'x'
local format, floor, call = string.format, math.floor, redis.call

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
-- value is known[key][field].
local asked, known, written, dropped = {}, {}, {}, {}

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
        local values = {}
        for i, value in ipairs(call('HMGET', KEYS[key], unpack(fields))) do
            values[fields[i]] = value and tonumber(value)
        end
        known[key] = values
    end
end

local function put(key, field, value)
    if value ~= known[key][field] then
        known[key][field] = value
        append(written, key, field)
    end
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
    end
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
        local last = math.min(first + SPAN, current - SPAN - 1)
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

local function move(field, from, to, amount)
    if call('HEXISTS', KEYS[1], field .. from) == 1 then -- else the period is long over
        call('HINCRBY', KEYS[1], field .. from, 0 - amount) -- -amount could be '-0'
        call('HINCRBY', KEYS[1], field .. to, amount)
    end
end

local function expire(record)
    for i = 2, #record, STRIDE do
        if record[i] == 'm' then
            move(record[i + 3], ':R', ':U', record[i + 4])
        end
    end
    record[1] = EXPIRED
    return cmsgpack.pack(record)
end

-- Holds whose owner is gone become unsettled: their money stays counted. Memories end.
local function sweep(now)
    local due = call('ZRANGEBYSCORE', EXPIRY, '-inf', now, 'LIMIT', 0, SWEEP_MOST)
    if #due == 0 then
        return
    end
    local forgotten = {}
    for i, packed in ipairs(call('HMGET', HOLDS, unpack(due))) do
        local record = packed and cmsgpack.unpack(packed)
        if record and record[1] == OPEN then
            call('HSET', HOLDS, due[i], expire(record))
            call('ZADD', EXPIRY, now + MEMORY, due[i])
        else
            forgotten[#forgotten + 1] = due[i]
        end
    end
    if #forgotten > 0 then
        call('HDEL', HOLDS, unpack(forgotten))
        call('ZREM', EXPIRY, unpack(forgotten))
    end
end
