-- Erases a session, and says so to answers that are under way: see append.lua.
-- KEYS[1]  the session: see append.lua
-- KEYS[2]  when it was erased last: STRING, us
-- ARGV[1]  ms for KEYS[2] to live
-- Returns  1 if there was a session, else 0

local gone = redis.call('DEL', KEYS[1]) -- first: a Redis that is full still takes what follows
local now = redis.call('TIME')
redis.call('SET', KEYS[2], string.format('%.0f', now[1] * 1000000 + now[2]), 'PX', ARGV[1])
return gone
