# Sourced. Private MariaDB and Redis for tests, on free loopback ports, in a temporary folder.
#
# workplace              makes the temporary folder $folder; it, the processes in the list pids and the services end
#                        with the script
# services_start FOLDER  starts both and exports RUSHDESK_TEST_MYSQL_URL and RUSHDESK_TEST_REDIS_URL
# services_cluster FOLDER  starts a Redis Cluster of three masters and exports RUSHDESK_TEST_CLUSTER_URL
# services_stop          stops what was started

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Daemons are installed in folders that only root's PATH contains.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# need COMMAND PACKAGE: installs a Debian package whose command is missing.
need() {
  command -v "$1" >/dev/null && return 0
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    root=(sudo)
    command -v sudo >/dev/null || {
      echo "$1 is missing: install the package $2 (apt-get install $2)" >&2
      return 1
    }
  fi
  if [ -z "${APT_UPDATED:-}" ]; then
    "${root[@]}" apt-get update -qq || return 1
    export APT_UPDATED=1
  fi
  install_quietly "$2" && command -v "$1" >/dev/null || {
    echo "$1 is missing, and installing the package $2 did not help" >&2
    return 1
  }
}

# Installs a package, with `root` as the prefix of the command. It starts no system service, because
# the tests start their own.
install_quietly() (
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap '"${root[@]}" rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null && "${root[@]}" chmod 755 "$policy" || exit 1
  fi
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null
)

services_start() {
  local folder=$1
  need mariadbd mariadb-server
  need redis-server redis-server

  MYSQL_PORT=$(free_port)
  mkdir -p "$folder/mysql"
  mariadb-install-db --no-defaults --datadir="$folder/mysql" --auth-root-authentication-method=normal \
    --skip-test-db ${USER_FLAG:-} >"$folder/mysql-install.log" 2>&1
  mariadbd --no-defaults --datadir="$folder/mysql" --port="$MYSQL_PORT" --bind-address=127.0.0.1 \
    --socket="$folder/mysql.sock" --pid-file="$folder/mysql.pid" --max-connections=500 \
    --character-set-server=utf8mb4 --skip-name-resolve ${USER_FLAG:-} >"$folder/mysql.log" 2>&1 &
  MYSQL_PID=$!

  REDIS_PORT=$(free_port)
  mkdir -p "$folder/redis"
  redis-server --port "$REDIS_PORT" --bind 127.0.0.1 --dir "$folder/redis" --save '' --appendonly yes \
    --maxmemory-policy noeviction >"$folder/redis.log" 2>&1 &
  REDIS_PID=$!

  for _ in $(seq 100); do
    mariadb-admin --no-defaults --socket="$folder/mysql.sock" -u root ping >/dev/null 2>&1 && break
    kill -0 "$MYSQL_PID" 2>/dev/null || { echo "mariadbd did not start:" >&2; tail -n 20 "$folder/mysql.log" >&2; return 1; }
    sleep 0.2
  done
  mariadb --no-defaults --socket="$folder/mysql.sock" -u root -e '
    CREATE DATABASE IF NOT EXISTS test CHARACTER SET utf8mb4;
    CREATE USER IF NOT EXISTS root@127.0.0.1;
    GRANT ALL ON *.* TO root@127.0.0.1 WITH GRANT OPTION;'
  export RUSHDESK_TEST_MYSQL_URL="mysql://root@127.0.0.1:$MYSQL_PORT/test"
  export RUSHDESK_TEST_REDIS_URL="redis://127.0.0.1:$REDIS_PORT/0"
}

services_cluster() {
  local folder=$1 nodes=() port node
  CLUSTER_PIDS=()
  for node in 1 2 3; do
    port=$(free_port)
    mkdir -p "$folder/node-$node"
    redis-server --port "$port" --bind 127.0.0.1 --dir "$folder/node-$node" --save '' --appendonly yes \
      --cluster-enabled yes --cluster-port "$(free_port)" >"$folder/node-$node.log" 2>&1 &
    CLUSTER_PIDS+=($!)
    nodes+=("127.0.0.1:$port")
  done
  for node in "${nodes[@]}"; do
    for _ in $(seq 100); do
      redis-cli -p "${node#*:}" ping >/dev/null 2>&1 && break
      sleep 0.1
    done
  done
  timeout 60 redis-cli --cluster create "${nodes[@]}" --cluster-yes >"$folder/cluster.log" || {
    echo "the redis cluster was not made:" >&2
    tail -n 20 "$folder/cluster.log" >&2
    return 1
  }
  for node in "${nodes[@]}"; do
    timeout 60 bash -c 'until redis-cli -p "$1" cluster info | grep -q cluster_state:ok; do sleep 0.1; done' - "${node#*:}" || {
      echo "the redis cluster did not become whole: $node" >&2
      return 1
    }
  done
  export RUSHDESK_TEST_CLUSTER_URL="redis-cluster://${nodes[0]},${nodes[1]}"
}

workplace() {
  folder=$(mktemp -d)
  pids=()
  trap workplace_end EXIT
  trap 'exit 130' INT TERM
}

workplace_end() {
  if [ "${#pids[@]}" -gt 0 ]; then
    kill "${pids[@]}" 2>/dev/null || true
    wait "${pids[@]}" 2>/dev/null || true
  fi
  services_stop
  rm -rf "$folder"
}

services_stop() {
  local pids=(${MYSQL_PID:-} ${REDIS_PID:-} "${CLUSTER_PIDS[@]}")
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null
  wait "${pids[@]}" 2>/dev/null
  return 0
}

CLUSTER_PIDS=()

# mariadbd refuses to run as root without this option.
[ "$(id -u)" -ne 0 ] || USER_FLAG="--user=root"
