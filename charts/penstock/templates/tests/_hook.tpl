{{/* Made for `helm test`, and gone after it. Of: the order in which they are made. */}}
{{- define "penstock.testHook" -}}
helm.sh/hook: test
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
