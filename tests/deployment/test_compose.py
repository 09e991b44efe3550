"""The compose file: parsed by docker compose's own library, and its parts by the programs that use them."""

import json
import re
import stat

import pytest
import yaml

from conftest import ROOT, check_config, run, tool


@pytest.fixture(scope="module")
def secrets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compose") / "secrets"
    done = run(ROOT / "compose/secrets.sh", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def project(secrets, tmp_path_factory):
    """The compose file as docker compose parses it, with secrets of the test."""
    file = tmp_path_factory.mktemp("project") / "compose.yaml"
    text = (ROOT / "compose.yaml").read_text()
    file.write_text(text.replace("compose/secrets", str(secrets)).replace("./", f"{ROOT}/").replace("context: .", f"context: {ROOT}"))
    done = run(tool("compose"), "--format", "json", file, cwd=file.parent)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_unknown_key_is_refused(tmp_path):
    """Tests the validator itself."""
    file = tmp_path / "compose.yaml"
    file.write_text("services: {a: {image: a, helthcheck: {}}}\n")
    assert run(tool("compose"), file).returncode != 0


def test_what_is_mounted_exists(project):
    for service in project["services"].values():
        for volume in service.get("volumes", []):
            # The folders in grafana/ are filled by other tools and may be empty.
            if volume["type"] == "bind" and "/grafana/" not in volume["source"]:
                assert (ROOT / volume["source"]).exists(), volume["source"]
    assert all(open(secret["file"]).read() for secret in project["secrets"].values())


def test_nothing_is_open_to_the_network_but_on_this_machine(project):
    ports = [port for service in project["services"].values() for port in service.get("ports") or []]
    assert ports and all(port["host_ip"] == "127.0.0.1" for port in ports)
    assert project["networks"]["inside"]["internal"]
    for name in ("rushdesk-1", "rushdesk-2", "mariadb", "redis"):
        assert list(project["services"][name]["networks"]) == ["inside"]


def test_the_replicas_are_alike_and_have_few_rights(project):
    one, two = project["services"]["rushdesk-1"], project["services"]["rushdesk-2"]
    assert one == two
    assert one["read_only"] and one["cap_drop"] == ["ALL"] and one["security_opt"] == ["no-new-privileges:true"]
    drain = re.search(r"drain_timeout_ms = (\d+)", (ROOT / "compose/rushdesk.toml").read_text()).group(1)
    assert int(one["stop_grace_period"].removesuffix("s")) >= int(drain) / 1000 + 30


def test_images_are_pinned(project):
    for service in project["services"].values():
        if "build" not in service and service["image"] != "rushdesk-load":
            assert re.search(r":v?\d+\.\d+", service["image"]), service["image"]


def test_secrets_are_new_each_time_and_kept(secrets, tmp_path):
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    assert run(ROOT / "compose/secrets.sh", secrets).returncode == 0
    assert before == {path.name: path.read_text() for path in secrets.iterdir()}
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    run(ROOT / "compose/secrets.sh", tmp_path / "other")
    for name in before:
        assert (tmp_path / "other" / name).read_text() != before[name]
    for name in ("mariadb-password", "grafana-password"):
        assert re.fullmatch("[0-9a-f]{64}\n", before[name])
    text = (ROOT / "compose.yaml").read_text()
    assert set(re.findall(r"(?i)password: (.*)", text)) == {'"yes"', "{file: compose/secrets/mariadb-password}", "{file: compose/secrets/grafana-password}"}
    assert "compose/secrets" in (ROOT / ".gitignore").read_text()


def test_the_server_accepts_its_configuration(secrets, project):
    (env_file,) = project["services"]["rushdesk-1"]["env_file"]
    assert env_file["path"] == str(secrets / "rushdesk.env")
    variables = dict(line.split("=", 1) for line in (secrets / "rushdesk.env").read_text().splitlines())
    done = check_config(ROOT / "compose/rushdesk.toml", variables)
    assert done.returncode == 0, done.stderr


def test_backends_are_the_simulators(project):
    urls = re.findall(r'\nurl = "http://([a-z-]+):(\d+)"', (ROOT / "compose/rushdesk.toml").read_text())
    assert len(urls) == 2
    for host, port in urls:
        assert f"0.0.0.0:{port}" in project["services"][host]["command"]


def test_nginx_accepts_its_configuration(tmp_path):
    """Uses addresses instead of network names, and no `resolve`, which Debian's version does not support yet."""
    text = (ROOT / "compose/nginx.conf").read_text()
    assert text.count(" resolve ") == 2
    text = text.replace(" resolve ", " ").replace("rushdesk-1:8080", "127.0.0.1:1").replace("rushdesk-2:8080", "127.0.0.1:2")
    text = text.replace("listen 8080", f"listen unix:{tmp_path}/nginx.sock")
    file = tmp_path / "nginx.conf"
    file.write_text(f"error_log {tmp_path}/error.log;\npid {tmp_path}/nginx.pid;\n{text}")
    done = run("nginx", "-t", "-c", file, "-e", tmp_path / "error.log", "-p", tmp_path)
    assert done.returncode == 0, done.stderr


def test_redis_accepts_its_configuration_and_asks_for_the_password(secrets, tmp_path):
    text = (secrets / "redis.conf").read_text()
    password = re.search(r"requirepass (\w+)", text).group(1)
    file = tmp_path / "redis.conf"
    file.write_text(text.replace("dir /data", f"dir {tmp_path}") + f"port 0\nunixsocket {tmp_path}/redis.sock\ndaemonize yes\n")
    assert run("redis-server", file).returncode == 0
    ask = ["redis-cli", "-s", tmp_path / "redis.sock"]
    try:
        for _ in range(200):
            if "NOAUTH" in run(*ask, "ping").stdout:
                break
        assert "NOAUTH" in run(*ask, "config", "get", "appendonly").stdout
        kept = run(*ask, "--no-auth-warning", "-a", password, "config", "get", "maxmemory-policy").stdout
        assert "noeviction" in kept
    finally:
        run(*ask, "--no-auth-warning", "-a", password, "shutdown", "nosave")


def test_prometheus_accepts_its_configuration(project):
    done = run("promtool", "check", "config", "--syntax-only", ROOT / "compose/prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    scraped = yaml.safe_load((ROOT / "compose/prometheus.yml").read_text())["scrape_configs"][0]["static_configs"][0]["targets"]
    assert all(target.split(":")[0] in project["services"] for target in scraped)
