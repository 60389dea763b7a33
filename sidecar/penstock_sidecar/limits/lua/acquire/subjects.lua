-- Subjects beyond the most that are told apart share the keys of all such. Part of acquire: KEYS and ARGV as in begin.lua.
local newcomers = {}

local function tell_apart(subject)
    local known_until = call('ZSCORE', subject.set, subject.member)
    local live = known_until and tonumber(known_until) > now
    if not live and call('ZCOUNT', subject.set, format('(%.0f', now), '+inf') >= subject.most then
        sharing = sharing + 1
        for key = subject.first, subject.first + subject.keys - 1 do
            shared[key] = key + subject.distance
        end
    elseif not live or tonumber(known_until) < now + subject.life / 2 then
        newcomers[#newcomers + 1] = subject
    end
end

function read_subjects(count, at)
    for _ = 1, count do
        local set, member, most, life_us, first, keys, distance = unpack(ARGV, at + 1, at + 7)
        tell_apart({
            set = KEYS[tonumber(set)], member = member, most = tonumber(most),
            life = tonumber(life_us), first = tonumber(first), keys = tonumber(keys),
            distance = tonumber(distance),
        })
        at = at + 7
    end
    return at
end

function remember_subjects()
    for _, subject in ipairs(newcomers) do
        call('ZREMRANGEBYSCORE', subject.set, '-inf', now)
        call('ZADD', subject.set, now + subject.life, subject.member)
        call('PEXPIRE', subject.set, ceil(subject.life / 1000))
    end
end
