{{/* What the injector may do in namespaces whose pods it is asked about. Of: $ */}}
{{- define "penstock.injectorRules" -}}
# What became of a pod's sidecar, told to the pod's owner (cluster/events.py).
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end }}
