{{- define "penstock.embedderSecret" -}}
{{ .Values.embedder.existingSecret | default (printf "%s-embedder" .Release.Name) }}
{{- end }}

{{/* Whether each part has a Redis user of its own, made by the operator. */}}
{{- define "penstock.managesUsers" -}}
{{- if or .Values.redis.enabled .Values.externalRedis.manageUsers }}true{{ end -}}
{{- end }}

{{/* Where the embedder is, and what tokens are made from: for the operator. */}}
{{- define "penstock.toEmbedder" -}}
{{- if .Values.embedder.enabled }}
- {name: PENSTOCK_EMBEDDER_URL, value: "http://{{ .Release.Name }}-embedder.{{ .Release.Namespace }}.svc:4144"}
{{ include "penstock.fromSecret" (list "PENSTOCK_EMBEDDER_SECRET" (include "penstock.embedderSecret" .) "secret") }}
{{- if include "penstock.managesUsers" . }}
{{ include "penstock.fromSecret" (list "PENSTOCK_EMBEDDER_REDIS_PASSWORD" (include "penstock.embedderSecret" .) "redis-password") }}
{{- end }}
{{- end }}
{{- end }}

{{/* The embedder's own settings. */}}
{{- define "penstock.embedderEnvironment" -}}
- {name: PENSTOCK_EMBEDDER_CLUSTER, value: {{ .Values.cluster | quote }}}
- {name: PENSTOCK_EMBEDDER_LOG_LEVEL, value: {{ .Values.logLevel }}}
- {name: PENSTOCK_EMBEDDER_BACKEND, value: {{ .Values.embedder.backend }}}
- {name: PENSTOCK_EMBEDDER_WORKERS, value: {{ .Values.embedder.workers | quote }}}
- {name: PENSTOCK_EMBEDDER_MAX_INDEX_MIB, value: {{ .Values.embedder.maxIndexMiB | int64 | quote }}}
{{- with .Values.embedder.model }}
- {name: PENSTOCK_EMBEDDER_MODEL, value: {{ . | quote }}}
{{- end }}
{{ include "penstock.fromSecret" (list "PENSTOCK_EMBEDDER_SECRET" (include "penstock.embedderSecret" .) "secret") }}
{{ include "penstock.embedderRedis" . | trim }}
{{- end }}

{{/* Its way to Redis: a user of its own, else the login that all have. */}}
{{- define "penstock.embedderRedis" -}}
{{- $external := .Values.externalRedis -}}
- {name: PENSTOCK_EMBEDDER_REDIS_URL, value: {{ include "penstock.redisURL" . | quote }}}
{{- if $external.caSecret }}
- {name: PENSTOCK_EMBEDDER_REDIS_CA_FILE, value: /etc/penstock/redis/ca.crt}
{{- end }}
{{- $keys := dict "SENTINEL_USERNAME" $external.sentinelUsernameKey "SENTINEL_PASSWORD" $external.sentinelPasswordKey }}
{{- if include "penstock.managesUsers" . }}
- {name: PENSTOCK_EMBEDDER_REDIS_USERNAME, value: {{ printf "penstock.%s._embedder" .Values.cluster | quote }}}
{{ include "penstock.fromSecret" (list "PENSTOCK_EMBEDDER_REDIS_PASSWORD" (include "penstock.embedderSecret" .) "redis-password") }}
{{- else }}
{{- $keys = merge $keys (dict "USERNAME" $external.usernameKey "PASSWORD" $external.passwordKey) }}
{{- end }}
{{- if $external.existingSecret }}
{{- range $variable, $key := $keys }}
{{- if $key }}
{{ include "penstock.fromSecret" (list (printf "PENSTOCK_EMBEDDER_REDIS_%s" $variable) $external.existingSecret $key) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
