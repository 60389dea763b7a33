{{/* What a schema cannot say of the values: combinations, and what the cluster has. */}}
{{- define "penstock.checks" -}}
{{- if and .Values.embedder.enabled (not (include "penstock.redisURL" .)) }}
{{- fail "embedder.enabled: vectors are kept in Redis; set redis.enabled or externalRedis.url" }}
{{- end }}
{{- if and .Values.embedder.enabled (hasPrefix "unix:" (include "penstock.redisURL" .)) }}
{{- fail "embedder.enabled: it reaches no Redis by a socket; set externalRedis.url to one with a host" }}
{{- end }}
{{- if and .Values.embedder.autoscaling.enabled (semverCompare "<1.23-0" .Capabilities.KubeVersion.Version) }}
{{- fail (printf "embedder.autoscaling.enabled: Kubernetes %s has no autoscaling/v2; set embedder.replicas" .Capabilities.KubeVersion.Version) }}
{{- end }}
{{- if gt (int .Values.embedder.autoscaling.minReplicas) (int .Values.embedder.autoscaling.maxReplicas) }}
{{- fail "embedder.autoscaling: minReplicas is more than maxReplicas" }}
{{- end }}
{{- range $kind, $amounts := .Values.agent.resources }}
{{- if and (kindIs "map" $amounts) (regexMatch "nvidia\\.com/" (toJson $amounts)) }}
{{- fail (printf "agent.resources.%s: an agent sees all GPUs of its node without asking for one" $kind) }}
{{- end }}
{{- end }}
{{- if .Values.watchNamespaces }}
{{- range .Values.ollama.namespaces }}
{{- if not (has . $.Values.watchNamespaces) }}
{{- fail (printf "ollama.namespaces: %s is not in watchNamespaces, so that no LLMProvider is seen there" .) }}
{{- end }}
{{- end }}
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
