-- Adds what one process saw of a provider's breakers to what all others saw, and decides.
--
-- KEYS[1]  HASH of the provider's breakers, `Group.breakers`: field -> a record, as JSON
-- ARGV[1]  JSON, a `Telling` of penstock_config/breaker.py: who tells, and one word per breaker
-- Returns  JSON: {"now": ..., "records": {field: record}}, all that there are
--
-- All times are milliseconds of Redis's own clock; what is told is told as ages and as remainders,
-- so that no other clock counts. A word that says nothing new writes nothing.
-- Failures are kept for longer than there is between two probes at most.
local MOST_FAILURES, KEPT_CLOSED, KEPT_FAILING = 100, 60000, 7200000

local at = redis.call('TIME')
local now = at[1] * 1000 + math.floor(at[2] / 1000)
local telling = cjson.decode(ARGV[1])
local records, texts = {}, {}

-- Whoever may write here may have written anything: what is no record is not there.
local function is_record(value)
  if type(value) ~= 'table' or #value > 0 then return false end
  for _, name in ipairs({'until_ms', 'opened_ms', 'succeeded_ms', 'hint_ms', 'trial_ms'}) do
    if value[name] ~= nil and type(value[name]) ~= 'number' then return false end
  end
  for _, moment in ipairs(type(value.failed_ms) == 'table' and value.failed_ms or {}) do
    if type(moment) ~= 'number' then return false end
  end
  for name, kind in pairs({trial_by = 'string', reason = 'string', frail = 'boolean'}) do
    if value[name] ~= nil and type(value[name]) ~= kind then return false end
  end
  return (value.until_ms == nil) == (value.opened_ms == nil)
    and (value.failed_ms == nil or type(value.failed_ms) == 'table')
end

local found = redis.call('HGETALL', KEYS[1])
for i = 1, #found, 2 do
  local fine, record = pcall(cjson.decode, found[i + 1])
  if fine and is_record(record) then
    records[found[i]], texts[found[i]] = record, found[i + 1]
  end
end

local function open(record, ends)
  if not record.until_ms then
    record.opened_ms = now
  end
  record.until_ms = math.max(record.until_ms or 0, ends, record.hint_ms or 0)
  record.trial_by, record.trial_ms, record.frail = nil, nil, nil
end

local function close(record)
  record.until_ms, record.opened_ms, record.hint_ms = nil, nil, nil
  record.trial_by, record.trial_ms, record.frail = nil, nil, nil
end

local function on_trial(record)
  return record.trial_ms and record.trial_ms > now
end

-- An answer to a call that began before the breaker opened says nothing of what is now.
local function succeeded(record, word)
  if record.until_ms and now - word.began_age >= record.opened_ms then
    close(record)
  end
  if not record.until_ms then
    record.frail, record.hint_ms = nil, nil
  end
  record.succeeded_ms = math.max(record.succeeded_ms or 0, now - word.succeeded_age)
end

-- The failures since the last success: in order, the newest ones.
local function in_a_row(record, ages)
  local row, since = {}, record.succeeded_ms or 0
  for _, moment in ipairs(record.failed_ms or {}) do
    if moment > since then row[#row + 1] = moment end
  end
  for _, age in ipairs(ages or {}) do
    if now - age > since then row[#row + 1] = now - age end
  end
  table.sort(row)
  while #row > MOST_FAILURES do table.remove(row, 1) end
  record.failed_ms = #row > 0 and row or nil
  return row
end

-- Successes between failures of several processes may not be told yet: those of which everybody had
-- the time to speak count.
local function settled(row)
  local count = 0
  for _, moment in ipairs(row) do
    if moment <= now - telling.settle_ms then count = count + 1 end
  end
  return count
end

local function heard(record, word)
  if word.succeeded_age then succeeded(record, word) end
  local row = in_a_row(record, word.failed_ages)
  if word.reason then record.reason = word.reason end
  if word.hint then record.hint_ms = math.max(record.hint_ms or 0, now + word.hint) end
  local failed = #(word.failed_ages or {}) > 0
  if word.open then
    open(record, now + word.open)
  elseif record.until_ms then
    if failed and record.until_ms <= now then open(record, now + word.cooldown) end
  elseif (failed and record.frail) or settled(row) >= word.threshold then
    open(record, now + word.cooldown)
  end
end

-- One process at a time may try whether it works again; a good probe closes what nobody tries.
local function tried(record, word)
  if word.release and record.trial_by == telling.by then
    record.trial_by, record.trial_ms = nil, nil
  end
  local due = record.until_ms and record.until_ms <= now
  if word.claim and due and (record.trial_by == telling.by or not on_trial(record)) then
    record.trial_by, record.trial_ms = telling.by, now + word.claim
  end
  if word.probed and due and not on_trial(record) then
    close(record)
    record.failed_ms, record.frail = nil, true
  end
end

for _, word in ipairs(telling.words) do
  local record = records[word.field] or {}
  heard(record, word)
  tried(record, word)
  if next(record) then records[word.field] = record end
end

local wrote = false
for _, word in ipairs(telling.words) do
  local record = records[word.field]
  local text = record and cjson.encode(record)
  if text and text ~= texts[word.field] then
    redis.call('HSET', KEYS[1], word.field, text)
    wrote = true
  end
end
if wrote then
  local kept = KEPT_CLOSED
  for _, record in pairs(records) do
    if record.until_ms or record.failed_ms then
      kept = math.max(kept, (record.until_ms or now) - now + KEPT_FAILING)
    end
  end
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', kept))
end
return cjson.encode({now = now, records = next(records) and records or nil})
