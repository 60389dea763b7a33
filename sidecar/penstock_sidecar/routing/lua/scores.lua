-- Adds what a sidecar has learnt to what all have learnt, and says what is known.
--
-- KEYS  1  STRING  number of what this teller told last: what is said again is not added again
--       2.. each a HASH of one candidate: task -> "at asked served signs waits wait_ms", sums that
--           halve each half-life; `at`, us of this clock, is when they were as they stand
-- ARGV  1 half-life, us; 2 what others told before this time, us, the caller knows; 3 most signs;
--       4 life of a key that nobody adds to, ms; 5 number of what is told, 0 for nothing; 6 its
--       life, ms; 7 number of tasks; then their names;
--       then for each addition: place of the candidate, of the task, and the five amounts
-- Returns {now, us; for each key and task, in order: asked, served, signs, waits, wait_ms as of now,
--         or false where nothing was told since}: as strings, Lua's numbers being cut to integers

local call = redis.call
local time = call('TIME')
local now = time[1] * 1e6 + time[2]
local half_life, since, most = ARGV[1] + 0, ARGV[2] + 0, ARGV[3] + 0
if since > now then
    since = 0 -- another server, whose clock is behind
end
local tasks, FIRST, AMOUNTS = ARGV[7] + 0, 8, 5
local told_before = ARGV[5] ~= '0' and call('GET', KEYS[1]) == ARGV[5]

local names = {}
for i = 1, tasks do
    names[i] = ARGV[FIRST + i - 1]
end

local additions = {} -- by key and task
for at = told_before and #ARGV + 1 or FIRST + tasks, #ARGV, AMOUNTS + 2 do
    local key, task = ARGV[at] + 0, ARGV[at + 1] + 0
    additions[key] = additions[key] or {}
    local amounts = {}
    for i = 1, AMOUNTS do
        amounts[i] = ARGV[at + 1 + i] + 0
    end
    additions[key][task] = amounts
end

local function parsed(text)
    local sums = {}
    for number in string.gmatch(text, '%S+') do
        sums[#sums + 1] = number + 0
    end
    return table.remove(sums, 1), sums
end

local function faded(at, sums)
    local share = 0.5 ^ (math.max(0, now - at) / half_life)
    for i = 1, AMOUNTS do
        sums[i] = sums[i] * share
    end
    return sums
end

local function added(sums, amounts)
    for i = 1, AMOUNTS do
        sums[i] = sums[i] + amounts[i]
    end
    sums[3] = math.min(math.max(sums[3], 0), most)
    return sums
end

local reply = { string.format('%.0f', now) }
for k = 1, #KEYS - 1 do
    local key = KEYS[k + 1]
    local values = call('HMGET', key, unpack(names))
    local written = {}
    for t = 1, tasks do
        local at, sums = 0, { 0, 0, 0, 0, 0 }
        if values[t] then
            at, sums = parsed(values[t])
            faded(at, sums)
        end
        local amounts = additions[k] and additions[k][t]
        if amounts then
            added(sums, amounts)
            written[#written + 1] = names[t]
            written[#written + 1] = string.format(
                '%.0f %.9g %.9g %.9g %.9g %.9g', now, unpack(sums))
        end
        if amounts or at > since then
            reply[#reply + 1] = string.format('%.9g %.9g %.9g %.9g %.9g', unpack(sums))
        else
            reply[#reply + 1] = false
        end
    end
    if #written > 0 then
        call('HSET', key, unpack(written))
        call('PEXPIRE', key, ARGV[4])
    end
end
if ARGV[5] ~= '0' then
    call('SET', KEYS[1], ARGV[5], 'PX', ARGV[6])
end
return reply
