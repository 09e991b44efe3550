"""A real rolling upgrade: two replicas as in compose.yaml behind its nginx. One is stopped in mid-stream."""

import json
import os
import re
import socket
import subprocess
import threading
import time
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from conftest import ROOT, RUSHDESK, environment, one, render, run

STREAMS = 12
PATIENCE = 120


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def until(what, condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not in {PATIENCE} s"
        time.sleep(0.1)


def answers(url):
    try:
        return urlopen(url, timeout=5).status == 200
    except (URLError, OSError):
        return False


def post(url, body, token=None, **headers):
    headers |= {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    return urlopen(Request(url, json.dumps(body).encode(), headers), timeout=PATIENCE)


class Stream(threading.Thread):
    """One question whose answer is read to its end."""

    def __init__(self, url, token, session, key):
        super().__init__(daemon=True)
        self.ask = (f"{url}/v1/sessions/{session}/messages", {"text": f"What is special about article {key}?"}, token)
        self.key, self.events, self.begun, self.error = key, [], threading.Event(), None

    def run(self):
        try:
            with post(*self.ask, **{"idempotency-key": str(self.key), "accept": "text/event-stream"}) as response:
                for line in response:
                    if line.startswith(b"event: "):
                        self.events.append(line[7:].decode().strip())
                        if self.events[-1] == "answer.delta":
                            self.begun.set()
        except (HTTPError, OSError) as error:
            self.error = error
        finally:
            self.begun.set()


@pytest.fixture
def deployment(tmp_path):
    """(address of nginx, processes of the replicas by their address)."""
    mysql, redis = os.environ["RUSHDESK_TEST_MYSQL_URL"], os.environ["RUSHDESK_TEST_REDIS_URL"]
    host, port = re.search(r"@([^:]+):(\d+)/", mysql).groups()
    database = f"rollout_{os.getpid()}"
    sql = ["mariadb", "--no-defaults", f"--host={host}", f"--port={port}", "--user=root", "--execute"]
    assert run(*sql, f"CREATE DATABASE {database} CHARACTER SET utf8mb4").returncode == 0
    processes = []

    def start(*command, **variables):
        log = open(tmp_path / f"{len(processes)}.log", "w")
        process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, env={**environment(), **variables})
        processes.append(process)
        return process

    try:
        backends = []
        for kind in ("vllm", "ollama"):
            port = free_port()
            start(RUSHDESK.with_name("rushdesk-load"), "sim-llm", "--kind", kind, "--listen", f"127.0.0.1:{port}",
                  "--ttft-ms", 50, "--token-ms", 50, "--tokens", 200)
            backends.append(f'{{name="{kind}",kind="{kind}",url="http://127.0.0.1:{port}",model="sim",slots=32}}')
            until("the simulator answers", lambda: answers(f"http://127.0.0.1:{port}/"))
        # The tables are created like in the chart's job, which has neither the configuration nor a
        # signing key.
        job = one(render("--values", ROOT / "helm/tests/values/minimal.yaml"), "Job")["spec"]["template"]["spec"]
        stores = {"RUSHDESK__STORE__REDIS_URL": redis, "RUSHDESK__STORE__MYSQL_URL": re.sub(r"/[^/]*$", f"/{database}", mysql)}
        assert {variable["name"] for variable in job["containers"][0]["env"]} == set(stores)
        migrated = run(RUSHDESK, *job["containers"][0]["args"], env=environment() | stores, cwd=tmp_path)
        assert migrated.returncode == 0, migrated.stderr
        replicas = {}
        for name in ("rushdesk-1", "rushdesk-2"):
            port = free_port()
            replicas[f"127.0.0.1:{port}"] = start(
                RUSHDESK, "serve", "--config", ROOT / "compose/rushdesk.toml", "--set", f"server.listen=127.0.0.1:{port}",
                # Containers have different host names.
                "--set", f"server.replica={name}",
                RUSHDESK__AUTH__JWT_SECRET="2f7a0c1d9b3e4f5061728394a5b6c7d8", RUSHDESK__STORE__REDIS_PREFIX=database, **stores,
                RUSHDESK__INFERENCE__BACKENDS=f"[{','.join(backends)}]", RUSHDESK__CACHE__ENABLED="false",
            )
        for address in replicas:
            until("the replica is ready", lambda: answers(f"http://{address}/readyz"))
        port = free_port()
        text = (ROOT / "compose/nginx.conf").read_text().replace(" resolve ", " ").replace("listen 8080", f"listen 127.0.0.1:{port}")
        for name, address in zip(("rushdesk-1:8080", "rushdesk-2:8080"), replicas):
            text = text.replace(name, address)
        # One user, and only the test's folder.
        temporary = "".join(f"{kind}_temp_path {tmp_path}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        text = text.replace("http {", f"http {{ access_log off; {temporary}", 1)
        config = tmp_path / "nginx.conf"
        config.write_text(f"daemon off; master_process off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/nginx.log;\n{text}")
        start("nginx", "-c", config, "-e", tmp_path / "nginx.log", "-p", tmp_path)
        url = f"http://127.0.0.1:{port}"
        until("nginx answers", lambda: answers(f"{url}/v1/status"))
        yield url, replicas
    finally:
        for process in processes:
            if process.poll() is None:
                process.terminate()
        for process in processes:
            try:
                process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
        run(*sql, f"DROP DATABASE {database}")


def running(address):
    text = urlopen(f"http://{address}/metrics", timeout=10).read().decode()
    return sum(float(value) for value in re.findall(r"^rushdesk_turns_running(?:\{.*\})? (\S+)$", text, re.M))


def test_no_stream_is_cut_when_a_replica_leaves(deployment):
    url, replicas = deployment
    with pytest.raises(HTTPError, match="404"):
        urlopen(f"{url}/metrics", timeout=10)
    shoppers = []
    for _ in range(STREAMS):
        token = json.load(post(f"{url}/v1/auth/visitor", {"site_key": "pk_demo"}))["access_token"]
        shoppers.append((token, json.load(post(f"{url}/v1/sessions", {}, token))["id"]))
    streams = [Stream(url, *shopper, index) for index, shopper in enumerate(shoppers)]
    for stream in streams:
        stream.start()
    for stream in streams:
        assert stream.begun.wait(PATIENCE) and stream.error is None, stream.error
    leaving = max(replicas, key=running)
    assert running(leaving) > 0, "nothing was running any more"
    replicas[leaving].terminate()
    # Admitted turns end on the old replica, over the same connections.
    for stream in streams:
        stream.join(PATIENCE)
        assert stream.error is None and stream.events[-1] == "answer.completed", (stream.error, stream.events[-3:])
    assert replicas[leaving].wait(timeout=PATIENCE) == 0
    # The sessions continue on the other replica.
    again = [Stream(url, *shopper, STREAMS + index) for index, shopper in enumerate(shoppers)]
    for stream in again:
        stream.start()
    for stream in again:
        stream.join(PATIENCE)
        assert stream.error is None and stream.events[-1] == "answer.completed", (stream.error, stream.events[-3:])
