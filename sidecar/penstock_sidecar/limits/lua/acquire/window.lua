-- A sliding window. Part of acquire: KEYS and ARGV as in begin.lua.
kinds.w = {
    read = function(item, at)
        item.width = ARGV[at + 1] + 0
        ask_window(item, now)
        item.reset = (item.current + SPAN + 1) * item.width - now
        return at + 1
    end,
    judge = function(item)
        window(item)
        item.room = item.limit - item.sum
    end,
    wait = function(item) -- until what is too much has left the window
        local bucket, excess = item.first, item.cost - item.room
        local fields = bucket_fields(item.field, bucket, bucket + SPAN)
        for i, value in ipairs(call('HMGET', KEYS[item.key], unpack(fields))) do
            excess = excess - (value or 0)
            bucket = item.first + i - 1
            if excess <= 0 then
                break
            end
        end
        return (bucket + SPAN + 1) * item.width - now
    end,
    charge = function(item)
        charge(item, item.cost)
        return item.field, item.current
    end,
}
