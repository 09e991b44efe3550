"""A small sale day: simulated backends, Rushdesk on Redis and MariaDB, a Prometheus that scrapes it, and shoppers."""

from __future__ import annotations

import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_LIMIT_S = 120
# Seconds and shoppers a second: before, in and after the burst.
DAY = [(10, 3), (14, 22), (16, 3)]
HOT = [
    "How long does standard delivery take?",
    "How do I return an item?",
    "Which payment methods do you accept?",
    "Do you ship to other countries?",
    "How do I change my delivery address?",
]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def call(url: str, body: object = None, timeout: float = 120, **headers: str):
    """The JSON answer, or the status of a refusal."""
    request = urllib.request.Request(url, headers={"content-type": "application/json", **headers})
    if body is not None:
        request.data = json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            text = response.read().decode()
            return json.loads(text) if "json" in (response.headers["content-type"] or "") else text
    except urllib.error.HTTPError as error:
        return error.code


class Rig:
    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.processes: list[subprocess.Popen] = []
        self.url = f"http://127.0.0.1:{free_port()}"
        self.prometheus = f"http://127.0.0.1:{free_port()}"

    def __enter__(self) -> Rig:
        return self

    def __exit__(self, *_: object) -> None:
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in reversed(self.processes):
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()

    def run(self, name: str, arguments: list[str], ready: str, env: dict[str, str] | None = None) -> None:
        log = (self.folder / f"{name}.log").open("w")
        process = subprocess.Popen(arguments, stdout=log, stderr=log, cwd=ROOT, env={**os.environ, **(env or {})})
        self.processes.append(process)
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            try:
                if not isinstance(call(ready, timeout=5), int):
                    return
            except OSError:
                pass
            time.sleep(0.1)
        tail = (self.folder / f"{name}.log").read_text()[-2000:]
        raise SystemExit(f"{name} did not start:\n{tail}")

    def start(self) -> None:
        backends = []
        # One works, one refuses, and one breaks off in the middle.
        for name, slots, fault in [("gpu-1", 4, None), ("gpu-2", 2, "sim-500"), ("gpu-3", 2, "sim-die-5")]:
            port = free_port()
            arguments = [os.environ["RUSHDESK_LOAD_BIN"], "sim-llm", "--listen", f"127.0.0.1:{port}"]
            arguments += ["--ttft-ms", "150", "--token-ms", "20", "--tokens", "30", "--slots", str(slots)]
            arguments += ["--fault", fault] if fault else []
            self.run(name, arguments, f"http://127.0.0.1:{port}/health")
            backends.append(
                f'{{name="{name}",kind="vllm",url="http://127.0.0.1:{port}",model="sim",slots={slots},'
                "gpus=1.0,gpu_hour_cost=2.5}"
            )
        model = pathlib.Path(os.environ["RUSHDESK_TEST_MODEL_DIR"])
        settings = {
            "server.listen": self.url.removeprefix("http://"),
            "server.data_dir": str(self.folder),
            "server.max_connections": "5000",
            "store.mode": "distributed",
            "store.mysql_url": os.environ["RUSHDESK_TEST_MYSQL_URL"],
            "store.redis_url": os.environ["RUSHDESK_TEST_REDIS_URL"],
            "store.redis_timeout_ms": "5000",
            "store.archive_timeout_ms": "15000",
            "auth.jwt_secret": uuid.uuid4().hex,
            "sites": '[{id="demo",name="Demo",site_key="pk_demo"}]',
            "embedding.model_dir": str(model / "all-MiniLM-L6-v2"),
            "embedding.library": str(model / "libonnxruntime.so"),
            "sessions.idle_timeout_s": "8",
            "limits.visitor_burst": "6",
            "limits.site_visitors_per_second": "10000",
            "limits.site_free_visitors_per_second": "10000",
            "inference.backends": "[" + ",".join(backends) + "]",
        }
        arguments = [os.environ["RUSHDESK_BIN"], "serve"]
        for key, value in settings.items():
            arguments += ["--set", f"{key}={value}"]
        self.run("rushdesk", arguments, f"{self.url}/readyz")
        self.run("prometheus", self.scraper(), f"{self.prometheus}/-/ready")

    def scraper(self) -> list[str]:
        config = self.folder / "prometheus.yml"
        rules = [str(ROOT / "grafana/alerts" / name) for name in ("recording.yml", "alerts.yml")]
        config.write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 2s}\n"
            f"rule_files: {json.dumps(rules)}\n"
            "scrape_configs:\n"
            "  - job_name: rushdesk\n"
            f"    static_configs: [{{targets: [\"{self.url.removeprefix('http://')}\"]}}]\n"
        )
        subprocess.run(["promtool", "check", "config", str(config)], check=True, stdout=subprocess.DEVNULL)
        return [
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={self.folder / 'tsdb'}",
            f"--web.listen-address={self.prometheus.removeprefix('http://')}",
        ]

    def query(self, path: str, **parameters: object):
        text = urllib.parse.urlencode(parameters)
        answer = call(f"{self.prometheus}/api/v1/{path}?{text}")
        if isinstance(answer, int):
            raise ValueError(f"status {answer}")
        return answer["data"]


class Shopper:
    def __init__(self, url: str):
        self.url = url
        self.token = self.post("/v1/auth/visitor", {"site_key": "pk_demo"})["access_token"]
        self.session = self.post("/v1/sessions", {})["id"]

    def post(self, path: str, body: object, **headers: str):
        headers["idempotency-key"] = uuid.uuid4().hex
        if hasattr(self, "token"):
            headers["authorization"] = f"Bearer {self.token}"
        return call(self.url + path, body, **headers)

    def ask(self, text: str):
        return self.post(f"/v1/sessions/{self.session}/messages", {"text": text})


def sale_day(rig: Rig) -> list[str]:
    """Shoppers arrive and ask. Returns the errors of the load itself."""
    chance = random.Random(1)
    threads, faults = [], []

    def visit(text: str) -> None:
        try:
            Shopper(rig.url).ask(text)
        except (OSError, TypeError, KeyError) as error:
            faults.append(repr(error))

    number = 0
    for seconds, rate in DAY:
        for _ in range(seconds * rate):
            number += 1
            text = chance.choice(HOT) if chance.random() < 0.4 else f"Is article {number * 7919} in stock in size {number}?"
            thread = threading.Thread(target=visit, args=(text,))
            thread.start()
            threads.append(thread)
            time.sleep(1 / rate)
    for thread in threads:
        thread.join()
    return faults


def oddities(rig: Rig) -> None:
    """Events that a sale day may lack: a cached answer that is rated down, a shopper over the limit, a cancelled turn."""
    for number in range(10):
        shopper = Shopper(rig.url)
        messages = f"/v1/sessions/{shopper.session}/messages"
        turn = shopper.post(messages, {"text": f"How heavy is article {number}?"}, prefer="respond-async")
        shopper.post(f"/v1/sessions/{shopper.session}/turns/{turn['turn_id']}/cancel", {})
        # A turn may be complete before it can be cancelled.
        if 'outcome="cancelled"' in call(f"{rig.url}/metrics"):
            break
    # Two shoppers confirm an answer, and two bad ratings remove it.
    for _ in range(2):
        for _ in range(3):
            shopper = Shopper(rig.url)
            turn = shopper.ask(HOT[0])
        answer = turn["answer"]
        assert answer["route"] in ("exact", "semantic"), f"the repeated question was answered by {answer['route']}"
        rating = shopper.post(f"/v1/messages/{answer['message_id']}/feedback", {"rating": "down"})
        assert not isinstance(rating, int), f"the rating was refused with {rating}"
    statuses = [Shopper.ask(shopper, f"And {word}?") for word in "abcdefghij"]
    assert 429 in statuses, "nobody ran into a limit"
