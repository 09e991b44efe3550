"""The checks of the Dockerfile that need no build; `make image-test` builds it."""

import fnmatch
import re
import tomllib

import pytest
from dockerfile_parse import DockerfileParser

from conftest import ROOT, RUSHDESK, run

TEXT = (ROOT / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """Pairs of instruction and value, without comments."""
    folder = tmp_path_factory.mktemp("image")
    parser = DockerfileParser(path=str(folder))
    parser.content = TEXT
    return [(step["instruction"], step["value"]) for step in parser.structure if step["instruction"] != "COMMENT"]


def arguments(steps):
    return dict(value.split("=", 1) for name, value in steps if name == "ARG")


def stages(steps):
    """Each stage by name, with its steps."""
    found = {}
    for name, value in steps:
        if name == "FROM":
            base, _, stage = value.partition(" AS ")
            found[stage] = [(name, base)]
        elif found:
            found[list(found)[-1]].append((name, value))
    return found


def test_every_base_is_pinned(steps):
    bases = arguments(steps)
    for stage, inside in stages(steps).items():
        base = inside[0][1]
        if base.startswith("${"):
            assert re.fullmatch(r"docker\.io/library/[a-z]+:[0-9a-z.]+[0-9a-z.-]*", bases[base[2:-1]]), base
            assert "latest" not in bases[base[2:-1]]
        else:
            assert base in stages(steps), f"{stage} comes from {base}"
    # One release of Debian, because programs linked in one stage run in another.
    assert len({re.search(r"bookworm|trixie", image).group() for image in bases.values()}) == 1
    assert all(re.search(r"@\d+\.\d+\.\d+$", line.strip()) for line in re.findall(r"cargo install [^\n&]*", TEXT))


def test_the_compiler_is_new_enough(steps):
    needed = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["rust-version"]
    image = re.search(r"rust:(\d+)\.(\d+)", arguments(steps)["RUST_IMAGE"])
    assert tuple(map(int, image.groups())) >= tuple(map(int, needed.split(".")[:2]))


def test_the_service_is_nobody_and_is_looked_after(steps):
    found = stages(steps)
    users = [value for name, value in found["base"] if name == "USER"]
    assert users and re.fullmatch(r"[1-9]\d+:[1-9]\d+", users[-1])
    for stage in ("rushdesk", "load"):
        assert found[stage][0][1] == "base"
        assert not [value for name, value in found[stage] if name == "USER"]
    # `docker build` builds the last stage by default.
    assert list(found)[-1] == "rushdesk"
    assert [value for name, value in found["rushdesk"] if name == "HEALTHCHECK"]


def test_the_commands_of_the_image_exist(steps):
    health = next(value for name, value in stages(steps)["rushdesk"] if name == "HEALTHCHECK")
    command = re.search(r'"rushdesk", "([a-z-]+)"', health).group(1)
    for known in (command, "serve"):
        assert run(RUSHDESK, known, "--help").returncode == 0
    assert run(RUSHDESK, "no-such-command", "--help").returncode != 0


def test_no_secret_is_baked_in():
    assert not re.search(r"(?i)(secret|password|token)\s*=", TEXT)


def sent():
    """The top-level patterns that .dockerignore includes."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    return [line[1:] for line in lines if line.startswith("!")]


def is_sent(path):
    return any(fnmatch.fnmatch(path, keep) or path.startswith(keep + "/") for keep in sent())


def test_every_copied_file_is_there_and_sent(steps):
    copied = [value for name, value in steps if name == "COPY" and not value.startswith("--from")]
    assert copied
    for value in copied:
        *sources, _ = value.split()
        for source in sources:
            if source != ".":
                assert (ROOT / source).exists(), source
                assert is_sent(source), source
    assert all((ROOT / path).exists() for path in sent())


def test_everything_that_is_compiled_in_is_sent():
    """Without this test, only a real build would notice an embedded folder that .dockerignore excludes."""
    embedded = set()
    for path in [*ROOT.glob("src/**/*.rs"), *ROOT.glob("load/src/**/*.rs")]:
        text = path.read_text()
        embedded |= {(ROOT / found).resolve() for found in re.findall(r'#\[folder = "([^"]+)"\]', text)}
        embedded |= {(ROOT / found).resolve() for found in re.findall(r'embed_migrations!\("([^"]+)"\)', text)}
        embedded |= {(path.parent / found).resolve() for found in re.findall(r'include_(?:str|bytes)!\(\s*"([^"]+)"', text)}
    benches = tomllib.loads((ROOT / "Cargo.toml").read_text()).get("bench", [])
    embedded |= {ROOT / "benches" / f"{bench['name']}.rs" for bench in benches}
    # Tests embed data that is not part of the program.
    embedded = {path for path in embedded if ROOT / "tests" not in path.parents}
    assert len(embedded) > 5
    for path in embedded:
        assert path.exists(), path
        assert is_sent(str(path.relative_to(ROOT))), path
