{{- define "penstock.redisURL" -}}
{{- if .Values.redis.enabled -}}
redis://{{ .Release.Name }}-redis.{{ .Release.Namespace }}.svc:6379
{{- else -}}
{{ .Values.externalRedis.url }}
{{- end -}}
{{- end }}

{{/* The operator's way to Redis: the chart's own, another one, or none. */}}
{{- define "penstock.redisEnvironment" -}}
{{- $external := .Values.externalRedis -}}
{{- if .Values.redis.enabled -}}
- {name: PENSTOCK_REDIS_URL, value: {{ include "penstock.redisURL" . | quote }}}
- {name: PENSTOCK_REDIS_MANAGE_USERS, value: "true"}
{{ include "penstock.fromSecret" (list "PENSTOCK_REDIS_USERNAME" (include "penstock.redisSecret" .) "username") }}
{{ include "penstock.fromSecret" (list "PENSTOCK_REDIS_PASSWORD" (include "penstock.redisSecret" .) "password") }}
{{- else if $external.url -}}
- {name: PENSTOCK_REDIS_URL, value: {{ include "penstock.redisURL" . | quote }}}
- {name: PENSTOCK_REDIS_MANAGE_USERS, value: {{ $external.manageUsers | quote }}}
{{- if $external.caSecret }}
- {name: PENSTOCK_REDIS_CA_FILE, value: /etc/penstock/redis/ca.crt}
{{- end }}
{{- if $external.existingSecret }}
{{- range $variable, $key := dict "USERNAME" $external.usernameKey "PASSWORD" $external.passwordKey "SENTINEL_USERNAME" $external.sentinelUsernameKey "SENTINEL_PASSWORD" $external.sentinelPasswordKey }}
{{- if $key }}
{{ include "penstock.fromSecret" (list (printf "PENSTOCK_REDIS_%s" $variable) $external.existingSecret $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "penstock.fromSecret" -}}
- name: {{ index . 0 }}
  valueFrom: {secretKeyRef: {name: {{ index . 1 }}, key: {{ index . 2 | quote }}}}
{{- end }}
