"""The unit for bare machines, and the health check of the real binary."""

import ctypes
import errno
import re
import socket
import ssl
import subprocess
import time
from urllib.request import urlopen

import pytest

from conftest import ROOT, RUSHDESK, environment, run, self_signed

UNIT = ROOT / "systemd/rushdesk.service"
ANY_CERTIFICATE = ssl.create_default_context()
ANY_CERTIFICATE.check_hostname = False
ANY_CERTIFICATE.verify_mode = ssl.CERT_NONE
# prctl(2): from then on no memory can become executable, as with MemoryDenyWriteExecute=.
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1


@pytest.fixture
def unit(tmp_path):
    """The unit with the program built here, because its installed path does not exist on a build machine."""
    file = tmp_path / "rushdesk.service"
    file.write_text(UNIT.read_text().replace("/usr/local/bin/rushdesk", str(RUSHDESK)))
    return file


def test_systemd_knows_every_line(unit):
    done = run("systemd-analyze", "verify", unit)
    assert done.returncode == 0 and not done.stderr, done.stderr
    unit.write_text(unit.read_text().replace("ProtectHome=yes", "ProtectHomes=yes"))
    assert "ProtectHomes" in run("systemd-analyze", "verify", unit).stderr


def test_little_is_exposed(unit):
    """The exposure out of 10; systemd calls less than 2 fine."""
    done = run("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", unit)
    print(done.stdout.splitlines()[-1])
    assert done.returncode == 0, done.stdout


def test_the_unit_outlasts_a_drain(example):
    stop = int(re.search(r"^TimeoutStopSec=(\d+)", UNIT.read_text(), re.M).group(1))
    assert stop >= example["turn"]["timeout_ms"] / 1000 + 30


def test_a_wrong_configuration_is_not_tried_again(tmp_path):
    text = UNIT.read_text()
    never = re.search(r"^RestartPreventExitStatus=(.*)", text, re.M).group(1).split()
    file = tmp_path / "rushdesk.toml"
    file.write_text("[server]\nlisten = 1\n")
    assert str(run(RUSHDESK, "serve", "--config", file, env=environment()).returncode) in never
    assert str(run(RUSHDESK, "serv", env=environment()).returncode) in ["2", *never]


def only_executable_from_the_start():
    """Runs in the child before the program. Linux before 6.3 lacks it (EINVAL), so it is skipped there."""
    refused = ctypes.CDLL(None, use_errno=True).prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0
    if refused and ctypes.get_errno() != errno.EINVAL:
        raise OSError(ctypes.get_errno(), "prctl")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_health_check_follows_the_service(scheme, tmp_path):
    """Absent, ready, reloaded or gone; with the model, in a process whose memory cannot become executable
    where the kernel knows that."""
    config = tmp_path / "rushdesk.toml"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = ROOT / "data/model"
    files = ""
    if scheme == "https":
        made = self_signed(tmp_path / "tls.crt", tmp_path / "tls.key")
        assert made.returncode == 0, made.stderr
        files = f'tls_cert = "{tmp_path}/tls.crt"\ntls_key = "{tmp_path}/tls.key"'
    config.write_text(f"""
[server]
listen = "0.0.0.0:{port}"
{files}
data_dir = "{tmp_path}/data"
[auth]
jwt_secret = "2f7a0c1d9b3e4f5061728394a5b6c7d8"
[inference]
discover_ollama = false
[embedding]
model_dir = "{model}/all-MiniLM-L6-v2"
library = "{model}/libonnxruntime.so"
""")
    check = [RUSHDESK, "check-health", "--config", config]
    absent = run(*check, env=environment())
    assert absent.returncode == 1 and f"no service responds on 127.0.0.1:{port}" in absent.stderr
    server = subprocess.Popen([RUSHDESK, "serve", "--config", config], env=environment(), stderr=subprocess.PIPE, text=True,
                              preexec_fn=only_executable_from_the_start)
    try:
        deadline = time.monotonic() + 120
        while (done := run(*check, env=environment())).returncode != 0:
            assert server.poll() is None, server.stderr.read()
            assert time.monotonic() < deadline, done.stderr
            time.sleep(0.2)
        assert '"embedder":"ok"' in done.stdout
        assert urlopen(f"{scheme}://127.0.0.1:{port}/startupz", timeout=10, context=ANY_CERTIFICATE).status == 200
        # The unit's reload reads files again and stops no process.
        reload = re.search(r"^ExecReload=(.*)", UNIT.read_text(), re.M).group(1).replace("$MAINPID", str(server.pid))
        assert run(*reload.split()).returncode == 0
        assert run(*check, env=environment()).returncode == 0
    finally:
        server.terminate()
        server.communicate(timeout=60)
    assert server.returncode == 0
    assert run(*check, env=environment()).returncode == 1
