{{/*
One egress rule: dict "url" (may be empty, or several with commas) "egress" (to, ports) "what" (for the message) "port" (the
scheme's). Peers that are given win; else an IPv4 address or a service of the cluster is read from the URL.
*/}}
{{- define "rushdesk.egressRule" -}}
{{- $to := (.egress).to -}}
{{- $ports := (.egress).ports | default list -}}
{{- if not $to -}}
{{- $to = list -}}
{{- $ports = list -}}
{{- range splitList "," .url -}}
{{- $url := urlParse (trim .) -}}
{{- $host := $url.hostname -}}
{{- $ports = append $ports (regexFind "[0-9]+$" ($url.host | trimPrefix $host) | default $.port | int) -}}
{{- if regexMatch "^[0-9]+(\\.[0-9]+){3}$" $host -}}
{{- $to = append $to (dict "ipBlock" (dict "cidr" (printf "%s/32" $host))) -}}
{{- else if regexMatch "^[a-z0-9-]+\\.[a-z0-9-]+\\.svc(\\..+)?$" $host -}}
{{- $namespace := index (splitList "." $host) 1 -}}
{{- $to = append $to (dict "namespaceSelector" (dict "matchLabels" (dict "kubernetes.io/metadata.name" $namespace))) -}}
{{- else -}}
{{- $address := ternary (printf "`%s` is" $host) "it is" (ne $host "") -}}
{{- fail (printf "\n%s.egress: say where %s (peers and ports as in a NetworkPolicy), or set networkPolicy.enabled=false" $.what $address) -}}
{{- end -}}
{{- end -}}
{{- end }}
- to:
    {{- toYaml (uniq $to) | nindent 4 }}
  ports:
    {{- range uniq $ports }}
    - {protocol: TCP, port: {{ int . }}}
    {{- end }}
{{- end -}}
