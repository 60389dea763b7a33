-- A budget's period: what is settled, reserved and unsettled. Part of acquire: KEYS and ARGV as in begin.lua.
kinds.m = {
    read = function(item, at)
        at = read_period(item, at)
        item.settled, item.reserved, item.unsettled = item.at .. ':S', item.at .. ':R', item.at .. ':U'
        ask(item.key, item.settled, item.reserved, item.unsettled)
        return at
    end,
    judge = function(item)
        local values, hold = known[item.key], item.hold
        item.room = item.limit - (values[item.settled] or 0) - (values[item.reserved] or 0)
            - (values[item.unsettled] or 0)
        if item.enforced and item.room < hold.granted then
            hold.granted = item.room
        end
    end,
    wait = until_reset,
    charge = function(item)
        local values = known[item.key]
        if item.stale and not (values[item.settled] or values[item.reserved] or values[item.unsettled]) then
            for _, part in ipairs({ ':S', ':R', ':U', ':P', ':N' }) do
                append(dropped, item.key, item.stale .. part)
            end
        end
        put(item.key, item.reserved, (values[item.reserved] or 0) + item.cost)
        keep(item.key, item.keep)
        return item.at, 0
    end,
}
