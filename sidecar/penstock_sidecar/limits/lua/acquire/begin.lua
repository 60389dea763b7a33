-- acquire: takes every hold of the call, or none; a refusal writes nothing but who waits. A hold
-- that is there already is not charged again.
--
-- KEYS  as in ledger.lua
-- ARGV  3 life of the holds, us; 4 their memory, us
--       5 apps that wait: key (index in KEYS, 0 for none); 6 key of their turns; 7 who asks,
--       `<priority>:<app>`; 8 his weight; 9 1 if he waits when he is refused
--       number of subjects; for each: key of those told apart, member, most of them, life us,
--       first key, number of keys, distance to those which further subjects share
--       number of holds; for each: id, money wanted and the least of it (micro-USD), number of
--       items; for each item: kind, unit (r requests, t tokens, m money, c slots), key, field,
--       limit, enforced (1, or 0 to count only), cost; then
--         w  width of a bucket, us
--         g  interval, ns; tolerance, us; horizon, us
--         d and m  start and end of the period, end of the next, us; labels of the period before
--            last, the last, this and the next: this clock decides which one it is
--         c  nothing
-- Returns {1, sequence, subjects that share, granted money of each hold, then remaining and us to
--            reset of each item, then key and field of each item of money}
--         {0, sequence, subjects that share, item that refuses longest, us to wait or -1 for ever,
--            1 if it is somebody else's turn or 2 while lost data is put together, then remaining
--            and us to reset as above}
--         {2} a hold has ended already: its release overtook this call

local now = clock()
local life, memory = ARGV[3] + 0, ARGV[4] + 0
local FIRST = 10        -- of ARGV, after who waits
local YEARS_MS = 400 * DAY_MS
local kinds = {}        -- by letter; each in a file of its own, as what follows
local read_subjects, remember_subjects, others_go_first, have_turn, wait_for_turn
local shared, sharing = {}, 0

local function until_reset(item)
    return item.reset
end
