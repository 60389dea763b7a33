{{/* What a schema cannot say of the values: combinations, and what the cluster has. */}}
{{- define "penstock.checks" -}}
{{- if .Values.embedder.enabled }}
{{- fail "embedder.enabled: this version of Penstock has no semantic cache yet; leave it off" }}
{{- end }}
{{- if .Values.agent.enabled }}
{{- fail "agent.enabled: this version of Penstock has no node agent yet; leave it off" }}
{{- end }}
{{- if and .Values.redis.enabled .Values.externalRedis.url }}
{{- fail "externalRedis.url is set: set redis.enabled=false too" }}
{{- end }}
{{- if and .Values.externalRedis.manageUsers (not .Values.externalRedis.url) }}
{{- fail "externalRedis.manageUsers: set externalRedis.url too" }}
{{- end }}
{{- if and (eq (include "penstock.guard" .) "webhook") (not .Values.injector.enabled) }}
{{- fail "nudge.guard=webhook needs injector.enabled=true" }}
{{- end }}
{{- if and (eq (include "penstock.guard" .) "policy") (semverCompare "<1.30-0" .Capabilities.KubeVersion.Version) }}
{{- fail (printf "nudge.guard=policy: Kubernetes %s has no ValidatingAdmissionPolicy; choose webhook" .Capabilities.KubeVersion.Version) }}
{{- end }}
{{- $monitoring := or .Values.monitoring.podMonitors.enabled .Values.monitoring.rules.enabled }}
{{- if and $monitoring (not (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1")) }}
{{- fail "monitoring: the cluster has no monitoring.coreos.com/v1; install the Prometheus Operator's definitions first (helm template: --api-versions monitoring.coreos.com/v1)" }}
{{- end }}
{{- if and .Values.injector.certManager.enabled (not (.Capabilities.APIVersions.Has "cert-manager.io/v1")) }}
{{- fail "injector.certManager.enabled: the cluster has no cert-manager.io/v1; install cert-manager first (helm template: --api-versions cert-manager.io/v1)" }}
{{- end }}
{{- end }}
