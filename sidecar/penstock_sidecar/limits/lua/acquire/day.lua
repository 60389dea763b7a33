-- A calendar day. Part of acquire: KEYS and ARGV as in begin.lua.
kinds.d = {
    read = function(item, at)
        at = read_period(item, at)
        ask(item.key, item.at)
        return at
    end,
    judge = function(item)
        item.room = item.limit - (known[item.key][item.at] or 0)
    end,
    wait = until_reset,
    charge = function(item)
        local used = known[item.key][item.at]
        if not used and item.stale then
            append(dropped, item.key, item.stale)
        end
        put(item.key, item.at, (used or 0) + item.cost)
        keep(item.key, item.keep)
        return item.at, 0
    end,
}
