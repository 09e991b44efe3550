{{/*
One egress rule: dict "url" (may be empty) "egress" (to, ports) "what" (for the message) "port" (the scheme's). Peers that are
given win; else an IPv4 address or a service of the cluster is read from the URL. The nodes of a Redis cluster and the
servers behind sentinels are not all in the URL.
*/}}
{{- define "rushdesk.egressRule" -}}
{{- $to := (.egress).to -}}
{{- $ports := (.egress).ports | default list -}}
{{- if not $to -}}
{{- $where := "it is" -}}
{{- if regexMatch "^rediss?-(cluster|sentinel)://" .url -}}
{{- $where = "all its nodes are, which tell each other's addresses" -}}
{{- else -}}
{{- $url := urlParse .url -}}
{{- $host := $url.hostname -}}
{{- $ports = list (regexFind "[0-9]+$" ($url.host | trimPrefix $host) | default .port | int) -}}
{{- if regexMatch "^[0-9]+(\\.[0-9]+){3}$" $host -}}
{{- $to = list (dict "ipBlock" (dict "cidr" (printf "%s/32" $host))) -}}
{{- else if regexMatch "^[a-z0-9-]+\\.[a-z0-9-]+\\.svc(\\..+)?$" $host -}}
{{- $namespace := index (splitList "." $host) 1 -}}
{{- $to = list (dict "namespaceSelector" (dict "matchLabels" (dict "kubernetes.io/metadata.name" $namespace))) -}}
{{- else if $host -}}
{{- $where = printf "`%s` is" $host -}}
{{- end -}}
{{- end -}}
{{- if not $to -}}
{{- fail (printf "\n%s.egress: say where %s (peers and ports as in a NetworkPolicy), or set networkPolicy.enabled=false" .what $where) -}}
{{- end -}}
{{- end }}
- to:
    {{- toYaml (uniq $to) | nindent 4 }}
  ports:
    {{- range uniq $ports }}
    - {protocol: TCP, port: {{ int . }}}
    {{- end }}
{{- end -}}
