{{- define "penstock.client" -}}
service: {name: {{ .root.Release.Name }}-injector, namespace: {{ .root.Release.Namespace }}, path: {{ .path }}, port: 443}
{{- end }}

{{/* The injector writes its CA into the configurations; with cert-manager, that does. Never rendered: a value would be
put back with each upgrade. */}}
{{- define "penstock.webhookMeta" -}}
name: {{ .root.Release.Name }}
labels: {{- include "penstock.labels" . | nindent 2 }}
{{- if .root.Values.injector.certManager.enabled }}
annotations:
  cert-manager.io/inject-ca-from: {{ .root.Release.Namespace }}/{{ .root.Release.Name }}-injector
{{- end }}
{{- end }}

{{/* Namespaces by name: every server from 1.21 on labels each with its own. */}}
{{- define "penstock.namespaces" -}}
- key: kubernetes.io/metadata.name
  operator: NotIn
  values: {{ append .Values.injector.excludedNamespaces .Release.Namespace | uniq | toJson }}
{{- with .Values.watchNamespaces }}
- key: kubernetes.io/metadata.name
  operator: In
  values: {{ toJson . }}
{{- end }}
{{- end }}

{{/* Our own pods, by what they are: they start also where no namespace is labelled, and while nobody answers. */}}
{{- define "penstock.notOurs" -}}
- {key: app.kubernetes.io/part-of, operator: NotIn, values: [penstock]}
{{- end }}

{{- define "penstock.onPods" -}}
rules:
  - apiGroups: [""]
    apiVersions: [v1]
    operations: [CREATE]
    resources: [pods]
    scope: Namespaced
admissionReviewVersions: [v1]
matchPolicy: Equivalent
sideEffects: NoneOnDryRun # Events
reinvocationPolicy: IfNeeded
failurePolicy: {{ .Values.injector.failurePolicy }}
timeoutSeconds: {{ .Values.injector.timeoutSeconds }}
clientConfig:
  {{- include "penstock.client" (dict "root" $ "path" "/mutate") | nindent 2 }}
{{- end }}
