-- publish: a process says that it lives, what it has settled in all, and what it admitted by
-- itself while this server was away or had lost its data.
--
-- KEYS  as in ledger.lua; 4 members
-- ARGV  3 process; 4 for how long it is taken to live, us; 5 number of sums; for each: key, field
--       with its label, total, told, base, seen (see add_total); then counts: kind, key, field, and
--         w  width of a bucket, us; number of pairs; age, us and amount of each
--         g  interval, ns; horizon, us; amount
--         d  as in acquire.lua; amount
-- Returns {1, sequence, processes that live, us for which the data is still being learned, the time,
--          us, S of each sum}

local FORGOTTEN = 3600e6 -- who was not heard for so long may be dropped from the books
local now = clock()
local process, life = ARGV[3], ARGV[4] + 0
local MEMBERS = KEYS[4]
local cursor = 4
local sums, counts = {}, {}

local function argument()
    cursor = cursor + 1
    return ARGV[cursor]
end

local function number()
    return argument() + 0
end

local readers = {}

function readers.w(count)
    count.width = number()
    ask_window(count, now)
    for i = 1, number() do
        local bucket = floor((now - number()) / count.width)
        count[i] = { bucket, number() }
        ask(count.key, bucket_field(count.field, bucket))
    end
end

function readers.g(count)
    count.interval, count.horizon, count.amount = number(), number(), number()
    ask(count.key, count.field)
end

function readers.d(count)
    local start, stop, next_stop = number(), number(), number()
    local labels = { argument(), argument(), argument(), argument() }
    local which = now < start and 2 or now < stop and 3 or 4
    count.field = count.field .. ':' .. labels[which]
    count.keep = ceil((next_stop - now) / 1000) + DAY_MS
    count.amount = number()
    ask(count.key, count.field)
end

local writers = {}

-- What is older than the window counts no more.
function writers.w(count)
    window(count)
    local added = 0
    for _, pair in ipairs(count) do
        local bucket, amount = pair[1], pair[2]
        if bucket >= count.first and bucket <= count.current then
            added = added + amount
            local field = bucket_field(count.field, bucket)
            put(count.key, field, (known[count.key][field] or 0) + amount)
        end
    end
    charge(count, 0)
    put(count.key, count.field, count.sum + added)
end

function writers.g(count)
    local from = arrival(count.key, count.field, count.horizon, now)
    move_arrival(count.key, count.field, from, count.amount, count.interval)
    keep(count.key, ceil(2 * count.horizon / 1000))
end

function writers.d(count)
    put(count.key, count.field, (known[count.key][count.field] or 0) + count.amount)
    keep(count.key, count.keep)
end

ask_state()
for i = 1, number() do
    local sum = {
        key = number(), field = argument(), total = number(), told = number(), base = number(),
        seen = number(),
    }
    ask_total(sum, process)
    sums[i] = sum
end
while cursor < #ARGV do
    local count = { kind = argument(), key = number(), field = argument() }
    readers[count.kind](count)
    counts[#counts + 1] = count
end
fetch()
local closed = open_books(now)
if closed then
    return closed
end
local reply = { 1, 0, 0, learning_left(now), now }
for _, sum in ipairs(sums) do
    reply[#reply + 1] = add_total(sum, now)
end
for _, count in ipairs(counts) do
    writers[count.kind](count)
end
next_sequence()
flush()
call('ZADD', MEMBERS, now, process)
call('ZREMRANGEBYSCORE', MEMBERS, '-inf', now - FORGOTTEN)
call('PEXPIRE', MEMBERS, FORGOTTEN / 1000)
reply[2], reply[3] = sequence(), call('ZCOUNT', MEMBERS, now - life, '+inf')
sweep(now)
return reply
