"""Shared by the checks: paths, and how to render the chart."""

import functools
import os
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm/rushdesk"
# The oldest version that Chart.yaml allows.
KUBERNETES = "1.30"
RUSHDESK = Path(os.environ.get("RUSHDESK_BIN", ROOT / "target/debug/rushdesk")).absolute()


def tool(name):
    """A program that scripts/deployment.sh installed."""
    return str(Path(os.environ.get("TOOLS", ROOT / "target/tools")) / name)


def run(*command, **more):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120, **more)


@functools.cache
def helm_template(*arguments):
    """Renders once per arguments, because the chart does not change during the tests."""
    return run(tool("helm"), "template", "rd", CHART, "--namespace", "shop", "--kube-version", KUBERNETES, *arguments)


def render(*arguments):
    """The chart's manifests, as a list."""
    done = helm_template(*arguments)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def one(manifests, kind):
    """The only manifest of a kind."""
    found = [m for m in manifests if m["kind"] == kind]
    assert len(found) == 1, [m["metadata"]["name"] for m in found]
    return found[0]


def environment():
    """This environment, without any configuration of Rushdesk."""
    return {name: value for name, value in os.environ.items() if not name.startswith("RUSHDESK__")}


def check_config(config_file, secrets):
    """Runs `rushdesk check-config` with a file and further variables."""
    return run(RUSHDESK, "check-config", "--config", config_file, env={**environment(), **secrets})


def self_signed(certificate, key):
    """Creates the two files."""
    return run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=chat.example.com",
               "-out", certificate, "-keyout", key)


@pytest.fixture(scope="session")
def example():
    """The default configuration."""
    return tomllib.loads((ROOT / "rushdesk.toml.example").read_text())
