-- Which calendar period it is, of those that ARGV names after `at`. Part of acquire: KEYS and ARGV as in begin.lua.
local function read_period(item, at)
    local start, stop, next_stop, before, last, this, following = unpack(ARGV, at + 1, at + 7)
    start, stop, next_stop = start + 0, stop + 0, next_stop + 0
    local label, stale = this, before
    item.reset, item.keep = stop - now, next_stop - now
    if now < start then
        label, stale, item.reset = last, nil, start - now
    elseif now >= stop then
        label, stale, item.reset, item.keep = following, last, next_stop - now, 2 * next_stop - stop - now
    end
    item.at = item.field .. ':' .. label
    item.stale = stale and item.field .. ':' .. stale
    item.keep = min(YEARS_MS, ceil(item.keep / 1000) + DAY_MS)
    return at + 7
end
