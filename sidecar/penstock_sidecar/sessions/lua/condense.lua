-- Puts a summary in the place of what it sums up, if all of that is still there: a session that
-- was erased stays so, and of two summaries of the same turns the first holds.
-- KEYS[1]   the session: see append.lua
-- ARGV[1]   the new summary; empty: only lets go of the rest
-- ARGV[2..] the former summary and the turns that it stands for
-- Returns   1 if it was done, else 0

local session = KEYS[1]
for place = 2, #ARGV do
  if not redis.call('ZSCORE', session, ARGV[place]) then
    return 0
  end
end
if ARGV[1] ~= '' then
  redis.call('ZADD', session, 0, ARGV[1])
end
for place = 2, #ARGV do
  redis.call('ZREM', session, ARGV[place])
end
return 1
