-- enqueue: adds prompts to a policy's stream, once for each time at which they are due.
--
-- KEYS  1 STREAM prompts to warm; 2 STRING how many were added for that time
-- ARGV  1 how many prompts the stream may hold; 2 life of the stream, ms; 3 life of the mark, ms;
--       then for each prompt: its field, its text
-- Returns {1 added now or 0 added before, how many}
--
-- Both keys are in one slot: the second has the first one's name as its hash tag.

local call = redis.call
local count = (#ARGV - 3) / 2
if not call('SET', KEYS[2], count, 'NX', 'PX', ARGV[3]) then
    return { 0, tonumber(call('GET', KEYS[2])) }
end
for i = 4, #ARGV, 2 do
    call('XADD', KEYS[1], 'MAXLEN', ARGV[1], '*', ARGV[i], ARGV[i + 1])
end
call('PEXPIRE', KEYS[1], ARGV[2])
return { 1, count }
