#!/usr/bin/env bash
# Generates the secrets of compose.yaml in compose/secrets or in the folder given. Existing ones are kept.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-compose/secrets}
# The folder is private. Its files are readable, since each container reads them as a user of its own.
install -d -m 700 "$folder"

# write NAME TEXT: writes the file if it does not exist.
write() { [ -e "$folder/$1" ] || printf '%s\n' "$2" >"$folder/$1"; }
secret() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

write mariadb-password "$(secret)"
write grafana-password "$(secret)"
write redis.conf "requirepass $(secret)
maxmemory-policy noeviction
appendonly yes
dir /data"
write rushdesk.env "RUSHDESK__AUTH__JWT_SECRET=$(secret)
RUSHDESK__STORE__MYSQL_URL=mysql://rushdesk:$(cat "$folder/mariadb-password")@mariadb:3306/rushdesk
RUSHDESK__STORE__REDIS_URL=redis://:$(sed -n 's/^requirepass //p' "$folder/redis.conf")@redis:6379/0"
