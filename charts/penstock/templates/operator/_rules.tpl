{{/* What the operator may do in namespaces that it watches. Of: $ */}}
{{- define "penstock.operatorRules" -}}
# The four kinds are read (handlers/registration.py), and told what became of them (cluster/statuses.py).
- apiGroups: [penstock.dev]
  resources: [llmproviders, modeltiers, routepolicies, budgets]
  verbs: [get, list, watch]
- apiGroups: [penstock.dev]
  resources: [llmproviders/status, modeltiers/status, routepolicies/status, budgets/status]
  verbs: [patch]
# Which pods a policy selects (handlers/registration.py){{ if .Values.nudge.enabled }}, and the touch of their annotation (nudge.enabled){{ end }}.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch{{ if .Values.nudge.enabled }}, patch{{ end }}]
# The pair of files that sidecars read (cluster/published.py). Server-side apply creates what it patches,
# so that names bound `create` too.
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [penstock-config]
  verbs: [create, delete, get, list, patch, watch]
- apiGroups: [""]
  resources: [secrets]
  resourceNames: [penstock-credentials]
  verbs: [create, delete, get, list, patch, watch]
{{- with .Values.warming.configMaps }}
# Prompts to ask ahead of time, by the names that warming.configMaps allows (cluster/config_maps.py).
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: {{ toJson . }}
  verbs: [get]
{{- end }}
# Why an object is not accepted, and alarms of budgets (cluster/events.py).
- apiGroups: [""]
  resources: [events]
  verbs: [create]
{{- end }}

{{/* What it may do where models may be run. Names cannot bound what is called after LLMProviders. Of: $ */}}
{{- define "penstock.modelRules" -}}
# What runs models (ollama/workload/objects.py): read, applied and deleted (ollama/workload/changes.py).
- apiGroups: [apps]
  resources: [deployments]
  verbs: [create, delete, get, list, patch]
- apiGroups: [""] # (ollama/workload/objects.py)
  resources: [configmaps, persistentvolumeclaims, services]
  verbs: [create, delete, get, list, patch]
- apiGroups: [policy] # (ollama/workload/objects.py)
  resources: [poddisruptionbudgets]
  verbs: [create, delete, get, list, patch]
- apiGroups: [networking.k8s.io] # without networkPolicies.enabled, to take away those of before (fleet/documents.py)
  resources: [networkpolicies]
  verbs: [create, delete, get, list, patch]
{{- end }}

{{/* A RoleBinding. Of: (dict "root" $ "part" "operator" "role" name "namespace" where) */}}
{{- define "penstock.binding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ .role }}
  namespace: {{ .namespace }}
  labels: {{- include "penstock.labels" . | nindent 4 }}
  {{- with .hook }}
  annotations: {{- . | nindent 4 }}
  {{- end }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ .role }}}
subjects: [{kind: ServiceAccount, name: {{ include "penstock.name" . }}, namespace: {{ .root.Release.Namespace }}}]
{{- end }}

{{- define "penstock.clusterBinding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ .role }}
  labels: {{- include "penstock.labels" . | nindent 4 }}
  {{- with .hook }}
  annotations: {{- . | nindent 4 }}
  {{- end }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{ .role }}}
subjects: [{kind: ServiceAccount, name: {{ include "penstock.name" . }}, namespace: {{ .root.Release.Namespace }}}]
{{- end }}
