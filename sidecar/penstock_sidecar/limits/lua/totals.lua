-- totals: what processes have settled, told as sums. KEYS and ARGV as in ledger.lua.

local SILENCE = 1800e6        -- whom the operator did not hear for twice this, it drops :I<process> of

-- Adds to S what a process has settled since it was last heard: `total` is all that it ever did. So
-- S is the sum of all totals, also after a failover that forgot some of them.
--
-- Where this data never knew the process (I is missing), the data may have been lost since it last
-- answered: of its total, `base` may have been part of what the others told or saw then, and `seen`
-- is the least that all had settled together. Two sums are kept from then on: P, what all told here
-- in all, and N, of that what nobody had told before the loss. S is the largest of what is sure: P
-- alone, or what somebody saw and N on top. Either counts nothing twice; P lacks only processes that
-- are gone. Where nothing was ever lost, base and seen are 0, and P and N are S.
--
-- A process that was silent may have been dropped by the operator: then `told`, what it heard before
-- the silence that it had told here, is counted.
local function ask_total(sum, process)
    sum.settled, sum.own = sum.field .. ':S', sum.field .. ':I' .. process
    sum.all, sum.new = sum.field .. ':P', sum.field .. ':N'
    ask(sum.key, sum.own)
    ask(sum.key, sum.settled, sum.all, sum.new)
end

local function was_dropped(sum, now)
    local heard = ARGV[2] + 0
    return sum.told > 0 and heard > 0 and now - heard > SILENCE
end

local function add_total(sum, now)
    local values, key, total = known[sum.key], sum.key, sum.total
    local settled, last = values[sum.settled] or 0, values[sum.own]
    local all, new = values[sum.all] or settled, values[sum.new] or settled
    if not last and was_dropped(sum, now) then
        last = sum.told
    end
    local news = max(0, total - (last or sum.base))
    local told = last and news or total
    put(key, sum.own, max(last or 0, total))
    put(key, sum.settled, max(settled + news, all + told, last and 0 or sum.seen + new + news))
    if all + told < values[sum.settled] or values[sum.all] then
        put(key, sum.all, all + told)
    end
    if new + news < values[sum.settled] or values[sum.new] then
        put(key, sum.new, new + news)
    end
    if key > FIXED and call('PTTL', KEYS[key]) < 0 then
        keep(key, 3 * DAY_MS)
    end
    return values[sum.settled]
end
