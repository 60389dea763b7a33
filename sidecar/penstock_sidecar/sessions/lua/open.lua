-- A session as a request finds it.
-- KEYS[1]  the session: see append.lua
-- KEYS[2]  when it was erased last: see erase.lua
-- ARGV     none
-- Returns  {KEYS[2]'s value or false; the summary, if any, and the turns, oldest first}

return { redis.call('GET', KEYS[2]), redis.call('ZRANGEBYSCORE', KEYS[1], 0, '+inf') }
