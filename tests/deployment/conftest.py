"""What the checks share: where things are, and how the chart is rendered."""

import functools
import os
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm/rushdesk"
# The oldest that Chart.yaml allows.
KUBERNETES = "1.30"
RUSHDESK = Path(os.environ.get("RUSHDESK_BIN", ROOT / "target/debug/rushdesk")).absolute()


def tool(name):
    """A program that scripts/deployment.sh installed."""
    return str(Path(os.environ.get("TOOLS", ROOT / "target/tools")) / name)


def run(*command, **more):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120, **more)


@functools.cache
def helm_template(*arguments):
    """Of the same arguments once: the chart does not change while it is tested."""
    return run(tool("helm"), "template", "rd", CHART, "--namespace", "shop", "--kube-version", KUBERNETES, *arguments)


def render(*arguments):
    """The chart's manifests, as a list."""
    done = helm_template(*arguments)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.safe_load_all(done.stdout) if manifest]


def one(manifests, kind):
    """The one manifest of a kind."""
    found = [m for m in manifests if m["kind"] == kind]
    assert len(found) == 1, [m["metadata"]["name"] for m in found]
    return found[0]


def environment():
    """Ours, without any configuration of Rushdesk."""
    return {name: value for name, value in os.environ.items() if not name.startswith("RUSHDESK__")}


def check_config(config_file, secrets):
    """`rushdesk check-config` of a file and further variables."""
    return run(RUSHDESK, "check-config", "--config", config_file, env={**environment(), **secrets})


def self_signed(certificate, key):
    """Makes the two files."""
    return run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=chat.example.com",
               "-out", certificate, "-keyout", key)


@pytest.fixture(scope="session")
def example():
    """The default configuration."""
    return tomllib.loads((ROOT / "rushdesk.toml.example").read_text())
