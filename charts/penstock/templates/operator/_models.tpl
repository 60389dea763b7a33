{{/* Where and with what the operator runs models; nothing where it may run none. Of: $ */}}
{{- define "penstock.toModels" -}}
{{- with .Values.ollama }}
{{- if .namespaces }}
- {name: PENSTOCK_OLLAMA_NAMESPACES, value: {{ join "," .namespaces | quote }}}
- {name: PENSTOCK_OLLAMA_IMAGE, value: {{ include "penstock.reference" (dict "name" .image.repository "digest" .image.digest "tag" .image.tag) | quote }}}
- {name: PENSTOCK_OLLAMA_PULL_POLICY, value: {{ .image.pullPolicy }}}
{{- with .pullSecrets }}
- {name: PENSTOCK_OLLAMA_PULL_SECRETS, value: {{ join "," . | quote }}}
{{- end }}
{{- with .environment }}
- {name: PENSTOCK_OLLAMA_ENVIRONMENT, value: {{ toJson . | quote }}}
{{- end }}
{{- with .runtimeClassName }}
- {name: PENSTOCK_OLLAMA_RUNTIME_CLASS, value: {{ . | quote }}}
{{- end }}
- {name: PENSTOCK_OLLAMA_NETWORK_POLICIES, value: {{ $.Values.networkPolicies.enabled | quote }}}
- {name: PENSTOCK_LOADER_IMAGE, value: {{ include "penstock.image" (dict "root" $ "image" $.Values.images.operator) | quote }}}
- {name: PENSTOCK_LOADER_PULL_POLICY, value: {{ $.Values.images.operator.pullPolicy }}}
{{- end }}
{{- end }}
{{- end }}
