-- window: at most so much within any sixty buckets and the one under way. KEYS and ARGV as in ledger.lua.

local SPAN = 60               -- buckets of a window; the oldest, partial one is counted besides

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
