{{/* What a chart's name and version are called in labels. */}}
{{- define "penstock.chart" -}}
{{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Labels by which a part's pods are found: never change for a release. Of: (dict "root" $ "part" "operator") */}}
{{- define "penstock.selectorLabels" -}}
app.kubernetes.io/name: penstock
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{/* https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/ */}}
{{- define "penstock.labels" -}}
{{ include "penstock.selectorLabels" . }}
app.kubernetes.io/part-of: penstock
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ include "penstock.chart" .root }}
{{- end }}

{{- define "penstock.name" -}}
{{ .root.Release.Name }}-{{ .part }}
{{- end }}

{{/* An image of ours. Of: (dict "root" $ "image" .Values.images.operator) */}}
{{- define "penstock.image" -}}
{{- $registry := .root.Values.images.registry | trimSuffix "/" -}}
{{- $name := ternary .image.repository (printf "%s/%s" $registry .image.repository) (empty $registry) -}}
{{- include "penstock.reference" (dict "name" $name "digest" .image.digest "tag" (.image.tag | default .root.Chart.AppVersion)) -}}
{{- end }}

{{- define "penstock.reference" -}}
{{- if .digest }}{{ .name }}@{{ .digest }}{{ else }}{{ .name }}:{{ .tag }}{{ end -}}
{{- end }}

{{/* What PodSecurity's level "restricted" asks of a pod, and of each container. */}}
{{/* Of pods with our own image: its user, and its group too, which some runtimes leave at 0. */}}
{{- define "penstock.ownPodSecurity" -}}
runAsUser: 65532
runAsGroup: 65532
{{ include "penstock.podSecurity" . }}
{{- end }}

{{- define "penstock.podSecurity" -}}
runAsNonRoot: true
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "penstock.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Replicas of a part on different nodes and in different zones, where there are several. */}}
{{- define "penstock.spread" -}}
{{- range $topology := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- topologyKey: {{ $topology }}
  maxSkew: 1
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- include "penstock.selectorLabels" $ | nindent 6 }}
{{- end }}
{{- end }}

{{/* Where a part's pods may run. Of: (dict "values" .Values.operator) */}}
{{- define "penstock.placement" -}}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "penstock.pullSecrets" -}}
{{- with .Values.images.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Probes of operator, injector and agent, which serve them alike. */}}
{{- define "penstock.probes" -}}
livenessProbe:
  httpGet: {path: /healthz, port: probes}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: probes}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end }}

{{/* Settings that operator and injector have in common. */}}
{{- define "penstock.environment" -}}
- name: PENSTOCK_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: PENSTOCK_POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- {name: PENSTOCK_CLUSTER, value: {{ .Values.cluster | quote }}}
- {name: PENSTOCK_LOG_LEVEL, value: {{ .Values.logLevel }}}
- {name: PENSTOCK_NUDGE, value: {{ .Values.nudge.enabled | quote }}}
{{- with .Values.watchNamespaces }}
- {name: PENSTOCK_WATCH_NAMESPACES, value: {{ join "," . | quote }}}
{{- end }}
{{- end }}

{{/* What a container needs that runs once, before the operator. */}}
{{- define "penstock.onceInOperator" -}}
image: {{ include "penstock.image" (dict "root" $ "image" .Values.images.operator) }}
imagePullPolicy: {{ .Values.images.operator.pullPolicy }}
resources: {{- toYaml .Values.operator.resources | nindent 2 }}
securityContext: {{- include "penstock.containerSecurity" . | nindent 2 }}
terminationMessagePolicy: FallbackToLogsOnError
{{- end }}

{{- define "penstock.redisSecret" -}}
{{ .Values.redis.existingSecret | default (printf "%s-redis" .Release.Name) }}
{{- end }}

{{/* Who guards pods against our operator: policy, webhook or none. */}}
{{- define "penstock.guard" -}}
{{- if not .Values.nudge.enabled -}}
none
{{- else if ne .Values.nudge.guard "auto" -}}
{{ .Values.nudge.guard }}
{{- else if semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version -}}
policy
{{- else -}}
{{ ternary "webhook" "none" .Values.injector.enabled }}
{{- end -}}
{{- end }}

{{- define "penstock.operatorAccount" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ .Release.Name }}-operator
{{- end }}

{{- define "penstock.agentAccount" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ .Release.Name }}-agent
{{- end }}

{{- define "penstock.budgetVersion" -}}
{{ ternary "policy/v1" "policy/v1beta1" (semverCompare ">=1.21-0" .Capabilities.KubeVersion.Version) }}
{{- end }}

{{- define "penstock.budget" -}}
apiVersion: {{ include "penstock.budgetVersion" .root }}
kind: PodDisruptionBudget
metadata:
  name: {{ include "penstock.name" . }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "penstock.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1 # a minimum would keep nodes from being drained where there is one replica
  selector:
    matchLabels: {{- include "penstock.selectorLabels" . | nindent 6 }}
{{- end }}
