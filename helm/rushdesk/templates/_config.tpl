{{/* rushdesk.toml: `config`, `backends` and what the chart decides. */}}
{{- define "rushdesk.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $own := dict "server" (dict "listen" "0.0.0.0:8080") "store" (dict "mode" "distributed") -}}
{{- $config = mergeOverwrite $config $own -}}
{{- if .Values.backends -}}
{{- $backends := list -}}
{{- range .Values.backends -}}
{{- $backends = append $backends (omit . "egress") -}}
{{- end -}}
{{- $config = mergeOverwrite $config (dict "inference" (dict "backends" $backends)) -}}
{{- end -}}
{{- if $config.sites }}
sites = {{ include "rushdesk.toml" $config.sites }}
{{ end -}}
{{- range $section, $keys := omit $config "sites" }}
{{- if $keys }}
[{{ $section }}]
{{- range $key, $value := $keys }}
{{ $key }} = {{ include "rushdesk.toml" $value }}
{{- end }}
{{ end -}}
{{- end -}}
{{- end -}}

{{/* Environment variables from a Secret: dict "name" "keys". */}}
{{- define "rushdesk.secretEnv" -}}
{{- $variables := list
  (list "RUSHDESK__AUTH__JWT_SECRET" .keys.jwtSecret)
  (list "RUSHDESK__STORE__MYSQL_URL" .keys.mysqlUrl)
  (list "RUSHDESK__STORE__REDIS_URL" .keys.redisUrl)
  (list "RUSHDESK__INFERENCE__BACKENDS" .keys.backends)
  (list "RUSHDESK__SITES" .keys.sites) -}}
{{- range $variables }}
{{- if last . }}
- name: {{ first . }}
  valueFrom:
    secretKeyRef: {name: {{ $.name }}, key: {{ last . }}}
{{- end }}
{{- end }}
{{- end -}}

{{/* The data of a Secret that the chart makes. */}}
{{- define "rushdesk.secretData" -}}
{{ .keys.jwtSecret }}: {{ .jwtSecret | quote }}
{{ .keys.mysqlUrl }}: {{ .mysqlUrl | quote }}
{{ .keys.redisUrl }}: {{ .redisUrl | quote }}
{{- end -}}
