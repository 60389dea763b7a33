-- smooth: evenly spaced. KEYS and ARGV as in ledger.lua.

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
