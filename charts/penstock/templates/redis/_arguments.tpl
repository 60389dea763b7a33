{{/* Books are kept over a restart, never evicted, and nobody enters without a user of his own. */}}
{{- define "penstock.redisArguments" -}}
- --port
- "6379"
- --aclfile
- /etc/penstock/users.acl
- --protected-mode # guards servers without users: here the default user is off
- "no"
- --dir
- /data
- --appendonly
- "yes"
- --appendfsync
- everysec
- --save
- ""
- --maxmemory
- {{ .Values.redis.maxMemory | quote }}
- --maxmemory-policy
- noeviction
{{- end }}
