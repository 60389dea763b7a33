-- turns: apps that wait for a provider go by priority, then in proportion to their weights.
-- Start-time fair queueing (Goyal, Vin, Cheng 1996): a request starts at its app's tag, or at the
-- virtual time if that is later, and moves the tag by TURN / weight; who starts first goes first.
-- The virtual time is the start of whoever is furthest behind. Part of acquire.
--
-- KEYS  as ARGV says: ZSET of those who wait, app -> until when he is waited for, us;
--       `*` and the app -> until when he counts who was served while others waited;
--       ZSET of turns, app -> tag, and VIRTUAL -> the virtual time
-- ARGV  5 to 9 as in begin.lua
-- Returns nothing: others_go_first, have_turn and wait_for_turn are for take.lua

local waiting, turns = ARGV[5] + 0, ARGV[6] + 0
local me, weight, waits = ARGV[7], ARGV[8] + 0, ARGV[9] == '1'

if waits or call('EXISTS', KEYS[waiting]) == 1 then -- else nobody waits, and nothing is defined
    local TURN = 1000
    local COME_BACK = 1e6   -- whoever waits asks at least so often
    local PATIENCE = 2e5    -- by how much he may come late before others go first
    local RIVALS_MOST = 128
    local TURNS_MS = 60000
    local VIRTUAL, SERVED = '', '*'
    local start, virtual -- of this request, where others wait

    -- Returns who else wants turns of this priority, or nil if somebody waits with a higher one.
    local function rivals(now)
        local found, seen = {}, { [me] = true }
        for _, app in ipairs(call('ZRANGEBYSCORE', KEYS[waiting], format('(%.0f', now), '+inf',
            'LIMIT', 0, RIVALS_MOST)) do
            local served = app:sub(1, 1) == SERVED
            if served then
                app = app:sub(2)
            end
            if app:byte(1) > me:byte(1) and not served then
                return nil
            elseif app:byte(1) == me:byte(1) and not seen[app] then
                seen[app] = true
                found[#found + 1] = app
            end
        end
        return found
    end

    -- An app may be ahead of the others by its share of the `room` that there is (in requests like
    -- this one): where room is scarce they go strictly in turn, where it is plenty nobody waits for
    -- somebody who is only about to ask.
    function others_go_first(room, now)
        if room == math.huge then
            return false
        end
        local others = rivals(now)
        if not others or #others == 0 then
            return not others
        end
        local tags = call('ZMSCORE', KEYS[turns], VIRTUAL, me, unpack(others))
        virtual = tonumber(tags[1] or 0)
        start = max(virtual, tonumber(tags[2] or 0))
        local least = math.huge
        for i = 1, #others do
            least = min(least, max(virtual, tonumber(tags[i + 2] or 0)))
        end
        virtual = min(start, least)
        return start > least + room / (#others + 1) * TURN / weight
    end

    -- Who has had his turn is waited for no longer than if he came late: he may have been the last.
    function have_turn(now)
        if start then
            call('ZADD', KEYS[turns], start + TURN / weight, me, virtual, VIRTUAL)
            call('PEXPIRE', KEYS[turns], TURNS_MS)
        end
        if waits then
            call('ZADD', KEYS[waiting], 'XX', 'LT', now + PATIENCE, me)
            if start then
                call('ZADD', KEYS[waiting], now + PATIENCE, SERVED .. me)
            end
        end
    end

    function wait_for_turn(wait, now)
        if waits then
            call('ZADD', KEYS[waiting], now + min(wait, COME_BACK) + PATIENCE, me)
            call('PEXPIRE', KEYS[waiting], (COME_BACK + PATIENCE) / 1000)
        end
    end
end
