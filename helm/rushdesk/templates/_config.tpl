{{/* rushdesk.toml: `config`, `backends` and the values that the chart sets. */}}
{{- define "rushdesk.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $server := dict "listen" "0.0.0.0:8080" -}}
{{- if .Values.tls.secretName -}}
{{- $server = merge $server (dict "tls_cert" "/run/rushdesk/tls/tls.crt" "tls_key" "/run/rushdesk/tls/tls.key") -}}
{{- end -}}
{{- $own := dict "server" $server "store" (dict "mode" "distributed") "auth" (dict "jwt_secret_file" "/run/rushdesk/jwt/secret") -}}
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

{{/* The addresses of the stores, if the chart creates the Secret. */}}
{{- define "rushdesk.storeData" -}}
{{ .keys.mysqlUrl }}: {{ .mysqlUrl | quote }}
{{ .keys.redisUrl }}: {{ .redisUrl | quote }}
{{- end -}}
