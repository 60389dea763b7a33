-- window: at most so much within any sixty buckets and the one under way. KEYS and ARGV as in ledger.lua.

local SPAN = 60               -- buckets of a window; the oldest, partial one is counted besides

-- w: key, field and width; adds the bucket under way and its field.
local function ask_window(w, now)
    w.current = floor(now / w.width)
    w.here = bucket_field(w.field, w.current)
    ask(w.key, w.field, w.field .. 't', w.here)
end

-- Adds its sum as it is at `now` and its first bucket, with what has expired taken out; that is
-- written by `charge` alone. All that was ever charged lies in the buckets first..first + SPAN.
local function window(w)
    local key, field, current = w.key, w.field, w.current
    local values = known[key]
    local sum, first = values[field] or 0, values[field .. 't'] or nil
    if first and first > current then
        -- The clock fell back by more than the window: all that it holds counts from now on, once.
        -- Written at once, also when the call then refuses: else the window would stay locked for
        -- as long as the clock fell.
        call('HDEL', KEYS[key], unpack(bucket_fields(field, first, first + SPAN)))
        call('HSET', KEYS[key], field .. 't', current, w.here, sum)
        values[field .. 't'], values[w.here], first = current, sum, current
    elseif first and first < current - SPAN then
        local last = min(first + SPAN, current - SPAN - 1)
        w.dead = bucket_fields(field, first, last)
        if last == first + SPAN then
            sum = 0
        else
            for _, value in ipairs(call('HMGET', KEYS[key], unpack(w.dead))) do
                sum = sum - (value or 0)
            end
        end
        first = current - SPAN
    end
    w.sum, w.first = sum, first or current - SPAN
end

local function charge(w, cost)
    for _, field in ipairs(w.dead or {}) do
        append(dropped, w.key, field)
    end
    put(w.key, w.field, w.sum + cost)
    put(w.key, w.field .. 't', w.first)
    put(w.key, w.here, (known[w.key][w.here] or 0) + cost)
    keep(w.key, ceil(2 * (SPAN + 1) * w.width / 1000))
end
