-- A sliding window. Part of acquire: KEYS and ARGV as in begin.lua.
kinds.w = {
    read = function(item, at)
        item.width = tonumber(ARGV[at + 1])
        item.at = floor(now / item.width)
        item.reset = (item.at + SPAN + 1) * item.width - now
        ask_window(item.key, item.field, item.at)
        return at + 1
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
