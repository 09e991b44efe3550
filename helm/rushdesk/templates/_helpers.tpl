{{- define "rushdesk.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "rushdesk.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains (include "rushdesk.name" .) .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "rushdesk.name" .) | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "rushdesk.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "rushdesk.selector" . }}
{{- end -}}

{{/* Labels of all pods of the release, the migration included. */}}
{{- define "rushdesk.selector" -}}
app.kubernetes.io/name: {{ include "rushdesk.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of the pods that serve. */}}
{{- define "rushdesk.serverSelector" -}}
{{ include "rushdesk.selector" . }}
app.kubernetes.io/component: server
{{- end -}}

{{- define "rushdesk.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{- define "rushdesk.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "rushdesk.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "rushdesk.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "rushdesk.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* The protocol of the pods, which is also the name of their port. */}}
{{- define "rushdesk.scheme" -}}
{{ ternary "https" "http" (ne .Values.tls.secretName "") }}
{{- end -}}

{{/* Longest time in seconds from SIGTERM to the end of the process: the phases of src/shutdown.rs and the last traces. */}}
{{- define "rushdesk.grace" -}}
{{- $drain := dig "server" "drain_timeout_ms" 60000 .Values.config | int -}}
{{- add .Values.preStopSeconds (div (add $drain 999) 1000) 30 -}}
{{- end -}}

{{/* A value as TOML: JSON strings, numbers and booleans are TOML too. */}}
{{- define "rushdesk.toml" -}}
{{- if kindIs "map" . -}}
{{- $pairs := list -}}
{{- range $key, $value := . -}}
{{- $pairs = append $pairs (printf "%s = %s" $key (include "rushdesk.toml" $value)) -}}
{{- end -}}
{ {{ join ", " $pairs }} }
{{- else if kindIs "slice" . -}}
{{- $items := list -}}
{{- range . -}}
{{- $items = append $items (include "rushdesk.toml" .) -}}
{{- end -}}
[{{ join ", " $items }}]
{{- else -}}
{{ toRawJson . }}
{{- end -}}
{{- end -}}
