-- Leases of a concurrency limit. Part of acquire: KEYS and ARGV as in begin.lua.
local SLOT_WAIT = 1e6   -- nobody can know when a request ends

kinds.c = {
    read = function(_, at)
        return at
    end,
    judge = function(item)
        local live = call('ZCOUNT', KEYS[item.key], format('(%.0f', now), '+inf')
        item.room, item.reset = item.limit - live, SLOT_WAIT
    end,
    wait = until_reset,
    charge = function(item)
        local slots = KEYS[item.key]
        call('ZREMRANGEBYSCORE', slots, '-inf', now)
        call('ZADD', slots, now + life, item.hold.id)
        call('PEXPIRE', slots, ceil(life / 1000))
        return '', item.limit
    end,
}
