-- Claims prompts to ask: those that another sidecar began and did not finish, then new ones.
--
-- KEYS  1 the policy's stream
-- ARGV  1 group  2 consumer  3 how many  4 after so many ms without an end a prompt is anybody's
--       5 so many ms after it was queued, an unfinished one is given up
-- Returns a list of {id, {field, value, ...}}.

local stream, group, consumer, most = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
if redis.call('EXISTS', stream) == 0 then
  return {}
end

local left = redis.pcall('XAUTOCLAIM', stream, group, consumer, ARGV[4], '0-0', 'COUNT', most)
if left.err then -- nobody has read it yet
  redis.call('XGROUP', 'CREATE', stream, group, '0')
  left = {'0-0', {}}
end

local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[5]
local claimed = {}
for _, entry in ipairs(left[2]) do
  if entry and tonumber(string.match(entry[1], '^%d+')) >= oldest then
    claimed[#claimed + 1] = entry
  elseif entry then
    redis.call('XACK', stream, group, entry[1])
  end
end

if #claimed < most then
  local new = redis.call(
    'XREADGROUP', 'GROUP', group, consumer, 'COUNT', most - #claimed, 'STREAMS', stream, '>')
  for _, entry in ipairs(new and new[1][2] or {}) do
    claimed[#claimed + 1] = entry
  end
end
return claimed
