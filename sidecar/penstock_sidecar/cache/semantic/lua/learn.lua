-- Notes how an answer would have done in another's place.
-- KEYS[1]   what is known of the answer: a HASH
-- KEYS[2]   what is known of its partition: a HASH
-- ARGV[1]   `right` or `wrong`
-- ARGV[2]   the similarity, in millionths, from which on the answer may do from now on; it only rises
-- ARGV[3]   how long the first lives from now on, ms
-- ARGV[4]   how long the second does, ms
-- Returns   how often the answer has been wrong

local answer, partition, verdict = KEYS[1], KEYS[2], ARGV[1]
redis.call('HINCRBY', partition, verdict, 1)
redis.call('PEXPIRE', partition, ARGV[4])
redis.call('HINCRBY', answer, verdict, 1)
local least = tonumber(redis.call('HGET', answer, 'least') or '0')
if tonumber(ARGV[2]) > least then
  redis.call('HSET', answer, 'least', ARGV[2])
end
redis.call('PEXPIRE', answer, ARGV[3])
return tonumber(redis.call('HGET', answer, 'wrong') or '0')
