{{/* Rules over several values, which a schema cannot express. Lists all faults at once. */}}
{{- define "rushdesk.validate" -}}
{{- $v := .Values -}}
{{- $faults := list -}}

{{- if not $v.secret.existing -}}
{{- range $key, $hint := dict "jwtSecret" "openssl rand -hex 32" "mysqlUrl" "mysql://user:password@host:3306/database" "redisUrl" "redis://:password@host:6379/0, redis-cluster://... or redis-sentinel://...#master" -}}
{{- if not (index $v.secret $key) -}}
{{- $faults = append $faults (printf "secret.%s: is required where secret.existing names no Secret (%s)" $key $hint) -}}
{{- end -}}
{{- end -}}
{{- range list "backends" "sites" -}}
{{- if index $v.secret.keys . -}}
{{- $faults = append $faults (printf "secret.keys.%s: is read from secret.existing, which is empty" .) -}}
{{- end -}}
{{- end -}}
{{- else -}}
{{- range list "jwtSecret" "mysqlUrl" "redisUrl" -}}
{{- if index $v.secret . -}}
{{- $faults = append $faults (printf "secret.%s: leave it empty, secret.existing has it" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Not in the schema, since its messages quote the value. */}}
{{- with $v.secret.jwtSecret -}}
{{- range splitList "\n" (trim .) -}}
{{- if lt (len .) 32 -}}
{{- $faults = append $faults "secret.jwtSecret: must have at least 32 bytes in each line (openssl rand -hex 32)" -}}
{{- end -}}
{{- end -}}
{{- if regexMatch "change|example|secret-secret|password" . -}}
{{- $faults = append $faults "secret.jwtSecret: is an example (openssl rand -hex 32)" -}}
{{- end -}}
{{- end -}}
{{- range $key, $schemes := dict "mysqlUrl" (list "mysql://") "redisUrl" (list "redis://" "rediss://" "redis-cluster://" "rediss-cluster://" "redis-sentinel://" "rediss-sentinel://") -}}
{{- with index $v.secret $key -}}
{{- if not (regexMatch (printf "^(%s)." (join "|" $schemes)) .) -}}
{{- $faults = append $faults (printf "secret.%s: must begin with %s" $key (join ", " $schemes)) -}}
{{- end -}}
{{- if regexMatch "://[^/@]*:(|root|admin|secret|password|passw0rd|changeme|change-me|example|rushdesk|mysql|mariadb|redis|123456)@" . -}}
{{- $faults = append $faults (printf "secret.%s: has an empty or a well-known password" $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $v.secret.mysqlUrl (not (regexMatch "://[^/@]+:[^/@]+@" $v.secret.mysqlUrl)) -}}
{{- $faults = append $faults "secret.mysqlUrl: has no user and password (mysql://user:password@host:3306/database)" -}}
{{- end -}}

{{- if regexMatch "^rediss?-sentinel://[^#]*#?$" $v.secret.redisUrl -}}
{{- $faults = append $faults "secret.redisUrl: sentinels need the name of the master (redis-sentinel://:password@host:26379,host:26379/0#name)" -}}
{{- end -}}

{{/* Keys that the chart sets, and keys that belong into a Secret. */}}
{{- $reserved := dict
  "server" (dict "listen" "is the chart's" "data_dir" "is the image's" "tls_cert" "belongs into tls.secretName" "tls_key" "belongs into tls.secretName")
  "store" (dict "mode" "is the chart's" "mysql_url" "belongs into secret.mysqlUrl" "redis_url" "belongs into secret.redisUrl")
  "auth" (dict "jwt_secret" "belongs into secret.jwtSecret" "jwt_secret_file" "is the chart's, from secret.jwtSecret")
  "embedding" (dict "model_dir" "is the image's" "library" "is the image's")
  "inference" (dict "backends" "is `backends` of the chart") -}}
{{- range $section, $keys := $reserved -}}
{{- range $key, $reason := $keys -}}
{{- if hasKey (dig $section dict $v.config) $key -}}
{{- $faults = append $faults (printf "config.%s.%s: %s" $section $key $reason) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $index, $site := $v.config.sites -}}
{{- if hasKey $site "identity_secret" -}}
{{- $faults = append $faults (printf "config.sites[%d].identity_secret: belongs into a Secret, see secret.keys.sites" $index) -}}
{{- end -}}
{{- end -}}
{{- range $index, $backend := $v.backends -}}
{{- if hasKey $backend "api_key" -}}
{{- $faults = append $faults (printf "backends[%d].api_key: belongs into a Secret, see secret.keys.backends" $index) -}}
{{- end -}}
{{- end -}}

{{- if and $v.secret.keys.backends $v.backends -}}
{{- $faults = append $faults "backends: leave them empty, secret.keys.backends has them (their egress goes to networkPolicy.extraEgress)" -}}
{{- end -}}
{{- if and $v.secret.keys.sites $v.config.sites -}}
{{- $faults = append $faults "config.sites: leave them empty, secret.keys.sites has them" -}}
{{- end -}}

{{- if and $v.autoscaling.mode (not (kindIs "invalid" $v.replicas)) -}}
{{- $faults = append $faults "replicas: leave it empty with autoscaling.mode, which owns the number (autoscaling.minReplicas)" -}}
{{- end -}}
{{- if and $v.autoscaling.mode (gt (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas)) -}}
{{- $faults = append $faults "autoscaling.minReplicas: must not be more than maxReplicas" -}}
{{- end -}}
{{- if and (eq $v.autoscaling.mode "keda") (not $v.autoscaling.keda.prometheus) -}}
{{- $faults = append $faults "autoscaling.keda.prometheus: mode keda needs the address of Prometheus" -}}
{{- end -}}

{{- if and $v.tls.secretName $v.serviceMonitor.enabled (not $v.serviceMonitor.tlsConfig) -}}
{{- $faults = append $faults "serviceMonitor.tlsConfig: pods are scraped by address; say which name and authority their certificate has ({serverName: ..., ca: ...})" -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.hosts) -}}
{{- $faults = append $faults "ingress.hosts: an ingress needs a host" -}}
{{- end -}}

{{- $turn := dig "turn" "timeout_ms" 60000 $v.config | int -}}
{{- $drain := dig "server" "drain_timeout_ms" 60000 $v.config | int -}}
{{- if lt $drain $turn -}}
{{- $faults = append $faults (printf "config.server.drain_timeout_ms: %d is less than the longest turn, config.turn.timeout_ms %d" $drain $turn) -}}
{{- end -}}
{{- $grace := include "rushdesk.grace" . | int -}}
{{- if and (not (kindIs "invalid" $v.terminationGracePeriodSeconds)) (lt (int $v.terminationGracePeriodSeconds) $grace) -}}
{{- $faults = append $faults (printf "terminationGracePeriodSeconds: a drain takes up to %d seconds; leave it empty or give more" $grace) -}}
{{- end -}}

{{- if $faults -}}
{{- fail (printf "\n%s" (join "\n" $faults)) -}}
{{- end -}}
{{- end -}}
