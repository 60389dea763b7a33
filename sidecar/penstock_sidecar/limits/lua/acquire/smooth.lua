-- Evenly spaced. Part of acquire: KEYS and ARGV as in begin.lua.
kinds.g = {
    read = function(item, at)
        item.width, item.tolerance = ARGV[at + 1] + 0, ARGV[at + 2] + 0
        item.horizon = ARGV[at + 3] + 0
        ask(item.key, item.field)
        return at + 3
    end,
    -- A token request may be larger than what is left: the next one waits for it.
    judge = function(item)
        item.arrival = arrival(item.key, item.field, item.horizon, now)
        local ahead = item.arrival - now
        item.room, item.reset = 0, ahead
        if ahead <= item.tolerance then
            local burst = floor((item.tolerance - ahead) * 1000 / item.width) + 1
            item.room = max(item.cost, min(item.limit, burst))
        end
    end,
    wait = function(item)
        return item.arrival - item.tolerance - now
    end,
    charge = function(item)
        move_arrival(item.key, item.field, item.arrival, item.cost, item.width)
        keep(item.key, ceil(2 * item.horizon / 1000))
        return item.field, 0
    end,
}
