{{/* Nodes that Node or GPU Feature Discovery found to have a GPU of NVIDIA's. An agent holds the driver open, so that
it leaves while the GPU Operator changes driver or partitions: DaemonSets take pods away from nodes that no longer fit. */}}
{{- define "penstock.agentAffinity" -}}
nodeAffinity:
  requiredDuringSchedulingIgnoredDuringExecution:
    nodeSelectorTerms:
      {{- $pci := list "pci-10de" "pci-0300_10de" "pci-0302_10de" }}
      {{- $labels := list "nvidia.com/gpu.present" }}
      {{- range $pci }}
      {{- $labels = append $labels (printf "feature.node.kubernetes.io/%s.present" .) }}
      {{- end }}
      {{- range $label := $labels }}
      - matchExpressions:
          - {key: {{ $label }}, operator: In, values: ["true"]}
          {{- range $part := list "client" "device-plugin" }}
          - key: nvidia.com/gpu.deploy.{{ $part }}
            operator: NotIn
            values: [paused-for-driver-upgrade, paused-for-mig-change]
          {{- end }}
      {{- end }}
{{- end }}
