"""The chart: lint, every set of values against the schemas of Kubernetes, golden files, and what it promises."""

import copy
import json
import os
import re
import tomllib

import jsonschema
import kubernetes_validate
import pytest
import yaml
from cloudcoil.models.keda.v1alpha1 import ScaledObject
from cloudcoil.models.prometheus_operator.v1 import PrometheusRule, ServiceMonitor

from conftest import CHART, KUBERNETES, ROOT, check_config, helm_template, one, render, run, self_signed, tool

VALUES = sorted((ROOT / "helm/tests/values").glob("*.yaml"))
GOLDEN = ROOT / "helm/tests/golden"
# The oldest, and the newest whose schemas there are.
VERSIONS = [KUBERNETES, kubernetes_validate.latest_version()]
SECRETS = {
    "RUSHDESK__STORE__MYSQL_URL": "mysql://shop:k3uLw9@10.0.0.5:3306/rushdesk",
    "RUSHDESK__STORE__REDIS_URL": "redis://:k3uLw9@10.0.0.6:6379/0",
}
every_values = pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)


def closed(schema):
    """The schema, refusing every field that it does not know, as the API server does for `kubectl apply`."""
    if isinstance(schema, dict) and "properties" in schema:
        schema.setdefault("additionalProperties", False)
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else []:
        closed(inner)
    return schema


# Made from the published CRDs: of KEDA 2.16 and of the Prometheus operator 0.80, the newest for Debian's Python.
CRDS = {model.__name__: closed(model.model_json_schema()) for model in (ScaledObject, ServiceMonitor, PrometheusRule)}
# New in KEDA 2.17, which the chart needs.
CRDS["ScaledObject"]["$defs"]["Fallback"]["properties"]["behavior"] = {
    "enum": ["static", "currentReplicas", "currentReplicasIfHigher", "currentReplicasIfLower"]
}


def validate(manifest, version):
    """Against the schema of its kind; a field that the schema does not know is refused."""
    if crd := CRDS.get(manifest["kind"]):
        jsonschema.Draft202012Validator(crd).validate(manifest)
    else:
        kubernetes_validate.validate(manifest, version, strict=True)


@every_values
def test_lint_finds_nothing(values):
    done = run(tool("helm"), "lint", "--strict", CHART, "--kube-version", KUBERNETES, "--values", values)
    assert done.returncode == 0, done.stdout + done.stderr


@every_values
@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid(values, version):
    for manifest in render("--values", values):
        validate(manifest, version)


def test_what_a_cluster_would_refuse_is_refused():
    """The validator itself: it must notice what we rely on it for."""
    monitored = "serviceMonitor.enabled=true,prometheusRule.enabled=true"
    manifests = render("--values", ROOT / "helm/tests/values/keda.yaml", "--set", monitored)

    def refused(kind, change):
        manifest = copy.deepcopy(one(manifests, kind))
        validate(manifest, VERSIONS[0])
        change(manifest["spec"])
        with pytest.raises((jsonschema.ValidationError, kubernetes_validate.ValidationError)):
            validate(manifest, VERSIONS[0])

    refused("Deployment", lambda spec: spec["template"]["spec"]["containers"][0].update(livenesProbe={}))
    refused("ScaledObject", lambda spec: spec["triggers"][0].update(treshold="2"))
    refused("ScaledObject", lambda spec: spec["triggers"][0].pop("type"))
    refused("ScaledObject", lambda spec: spec["fallback"].update(behavior="never"))
    refused("ScaledObject", lambda spec: spec.update(minReplicaCount="3"))
    refused("ServiceMonitor", lambda spec: spec["endpoints"][0].update(intervall="30s"))
    refused("ServiceMonitor", lambda spec: spec["endpoints"][0].update(interval="30 seconds"))
    refused("ServiceMonitor", lambda spec: spec["endpoints"][0].update(scheme="ftp"))
    refused("PrometheusRule", lambda spec: spec["groups"][0]["rules"][0].pop("expr"))
    refused("PrometheusRule", lambda spec: spec["groups"][0]["rules"][0].update(forr="5m"))


@every_values
def test_the_manifests_are_the_golden_ones(values):
    """After a wanted change: UPDATE_GOLDEN=1 scripts/deployment.sh, then read the difference."""
    done = helm_template("--values", values)
    golden = GOLDEN / values.name
    # Copies of grafana/ are compared elsewhere; here they would only repeat its changes. Helm 3 and 4 differ in empty lines.
    text = "".join(f"{part.rstrip()}\n" for part in re.split(r"(?m)^(?=---$)", done.stdout)
                   if part.strip() and "/prometheusrule.yaml" not in part and "/dashboards.yaml" not in part)
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(text)
    assert text == golden.read_text(), f"{golden} differs"


@every_values
def test_the_server_accepts_the_configuration(values, tmp_path):
    """What the pods get, read by the real binary."""
    manifests = render("--values", values)
    file = tmp_path / "rushdesk.toml"
    file.write_text(rushdesk_toml(manifests).replace("/run/rushdesk", str(tmp_path)))
    (tmp_path / "jwt").mkdir()
    keys = [m["stringData"] for m in manifests if m["kind"] == "Secret" and "jwt-secret" in m["stringData"]]
    (tmp_path / "jwt/secret").write_text(keys[0]["jwt-secret"] if keys else "2f7a0c1d9b3e4f5061728394a5b6c7d8")
    if "tls_cert" in file.read_text():
        (tmp_path / "tls").mkdir()
        made = self_signed(tmp_path / "tls/tls.crt", tmp_path / "tls/tls.key")
        assert made.returncode == 0, made.stderr
    variables = [v["name"] for v in container(manifests)["env"]]
    assert set(SECRETS) <= set(variables)
    given = SECRETS | from_secret(manifests, container(manifests)["env"])
    if "RUSHDESK__SITES" in variables:
        given["RUSHDESK__SITES"] = '[{id="shop",name="Shop",site_key="pk_shop"}]'
    if "RUSHDESK__INFERENCE__BACKENDS" in variables:
        given["RUSHDESK__INFERENCE__BACKENDS"] = '[{name="a",kind="vllm",url="http://a:1",model="m",slots=1,api_key="k"}]'
    done = check_config(file, given)
    assert done.returncode == 0, done.stderr
    file.write_text(file.read_text() + "\n[nonsense]\nkey = 1\n")
    assert check_config(file, given).returncode != 0


@every_values
def test_every_port_speaks_what_the_server_speaks(values):
    manifests = render("--values", values)
    config = tomllib.loads(rushdesk_toml(manifests))
    scheme = "https" if config["server"].get("tls_cert") else "http"
    assert [port["name"] for port in container(manifests)["ports"]] == [scheme]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container(manifests)[probe]["httpGet"]
        assert (asked["port"], asked["scheme"]) == (scheme, scheme.upper())
    for manifest in manifests:
        spec = manifest.get("spec")
        match manifest["kind"]:
            case "Service":
                assert [(port["name"], port["targetPort"]) for port in spec["ports"]] == [(scheme, scheme)]
            case "ServiceMonitor":
                assert [(end["port"], end["scheme"]) for end in spec["endpoints"]] == [(scheme, scheme)]
            case "NetworkPolicy":
                assert [rule["ports"][0]["port"] for rule in spec["ingress"]] == [scheme]
            case "Ingress":
                paths = [path for rule in spec["rules"] for path in rule["http"]["paths"]]
                assert {path["backend"]["service"]["port"]["name"] for path in paths} == {scheme}


@every_values
def test_every_file_that_the_server_reads_is_mounted(values):
    manifests = render("--values", values)
    config = tomllib.loads(rushdesk_toml(manifests))
    spec = one(manifests, "Deployment")["spec"]["template"]["spec"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container(manifests)["volumeMounts"]}
    files = set()
    for volume in spec["volumes"]:
        if "secret" in volume:
            # Those of a Secret of the type kubernetes.io/tls, where none is named.
            names = [item["path"] for item in volume["secret"].get("items", [])] or ["tls.crt", "tls.key"]
            files |= {f"{mounts[volume['name']]}/{name}" for name in names}
            # The files are root's: the pod's group must be able to read them, and nobody else.
            assert volume["secret"]["defaultMode"] == 0o440 and spec["securityContext"]["fsGroup"]
    read = {config["auth"]["jwt_secret_file"], config["server"].get("tls_cert"), config["server"].get("tls_key")}
    assert files == read - {None}


def test_a_new_signing_key_or_certificate_restarts_nothing(tmp_path):
    minimal = ("--values", ROOT / "helm/tests/values/minimal.yaml")

    def pod(**secret):
        file = tmp_path / f"{'-'.join(secret)}.yaml"
        file.write_text(yaml.safe_dump({"secret": secret}))
        return one(render(*minimal, "--values", file), "Deployment")["spec"]["template"]

    before = pod()
    assert pod(jwtSecret="90817263a4b5c6d7e8f9010203040506\n2f7a0c1d9b3e4f5061728394a5b6c7d8\n") == before
    assert pod(redisUrl="redis://:k3uLw8@redis.stores.svc:6379/0") != before


def seconds_in(source, constant):
    """A constant span of a source file, which must be there."""
    return int(re.search(rf"const {constant}: Duration = Duration::from_secs\((\d+)\)", source.read_text())[1])


@every_values
def test_a_pod_ends_after_its_longest_stream(values, example):
    spec = one(render("--values", values), "Deployment")["spec"]["template"]["spec"]
    config = yaml.safe_load(values.read_text()).get("config", {})
    turn = config.get("turn", {}).get("timeout_ms", example["turn"]["timeout_ms"]) / 1000
    wait = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    # What follows the drain, each part where its bound stands, and one call of the archive at the end.
    bounds = {"shutdown.rs": ("INTERRUPT_TIMEOUT", "SERVER_TIMEOUT", "BACKGROUND_TIMEOUT"), "telemetry/traces.rs": ("FAREWELL",)}
    after = sum(seconds_in(ROOT / "src" / file, name) for file, names in bounds.items() for name in names)
    after += config.get("store", {}).get("archive_timeout_ms", example["store"]["archive_timeout_ms"]) / 1000
    assert spec["terminationGracePeriodSeconds"] >= wait + turn + after


@every_values
def test_no_pod_has_more_rights_than_it_needs(values):
    for manifest in render("--values", values):
        if manifest["kind"] not in ("Deployment", "Job"):
            continue
        pod = manifest["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
        for c in pod["containers"]:
            assert c["securityContext"]["readOnlyRootFilesystem"]
            assert not c["securityContext"]["allowPrivilegeEscalation"]
            assert c["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert "limits" in c["resources"]


@every_values
def test_secrets_stand_only_in_secrets(values):
    for manifest in render("--values", values):
        text = json.dumps(manifest)
        if manifest["kind"] != "Secret":
            assert "k3uLw9" not in text and "2f7a0c1d9b3e" not in text


@pytest.mark.parametrize("name", ["keda", "custom-metrics"])
def test_an_autoscaler_owns_the_number_of_replicas(name):
    manifests = render("--values", ROOT / f"helm/tests/values/{name}.yaml")
    assert "replicas" not in one(manifests, "Deployment")["spec"]
    kind = "ScaledObject" if name == "keda" else "HorizontalPodAutoscaler"
    metrics = set(re.findall(r"rushdesk_[a-z_]+", json.dumps(one(manifests, kind)["spec"])))
    assert len(metrics) == 2
    source = "".join(path.read_text() for path in (ROOT / "src").rglob("*.rs"))
    assert all(f'"{metric}"' in source for metric in metrics)


def test_the_network_policy_allows_what_is_configured_and_nothing_else():
    policy = one(render("--values", ROOT / "helm/tests/values/full.yaml"), "NetworkPolicy")["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert all(rule.get("to") and rule.get("ports") for rule in policy["egress"])
    ports = [[port["port"] for port in rule["ports"]] for rule in policy["egress"]]
    assert ports == [[53, 53], [3306], [6379], [8000], [443], [4318]]
    # Two providers behind one address are one rule.
    several = one(render("--values", ROOT / "helm/tests/values/tls-oidc.yaml"), "NetworkPolicy")["spec"]["egress"]
    assert [rule["to"] for rule in several][3:] == [[{"ipBlock": {"cidr": "203.0.113.0/24"}}]]
    labels = one(render("--values", ROOT / "helm/tests/values/full.yaml"), "Job")["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()


def test_the_migration_runs_before_any_pod_changes():
    manifests = render("--values", ROOT / "helm/tests/values/minimal.yaml")
    job = one(manifests, "Job")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert job["spec"]["template"]["spec"]["containers"][0]["args"][0] == "migrate"
    # Its Secret must be there before it, and its pods must not be the service's.
    names = {m["metadata"]["name"]: m["metadata"].get("annotations", {}) for m in manifests if m["kind"] == "Secret"}
    secret = job["spec"]["template"]["spec"]["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"]["name"]
    assert int(names[secret]["helm.sh/hook-weight"]) < int(job["metadata"]["annotations"]["helm.sh/hook-weight"])
    selector = one(manifests, "Service")["spec"]["selector"]
    assert not selector.items() <= job["spec"]["template"]["metadata"]["labels"].items()


def from_secret(manifests, variables):
    """What these variables get from Secrets that the chart makes."""
    secrets = {m["metadata"]["name"]: m["stringData"] for m in manifests if m["kind"] == "Secret"}
    references = {v["name"]: v["valueFrom"]["secretKeyRef"] for v in variables if "valueFrom" in v}
    return {name: secrets[ref["name"]][ref["key"]] for name, ref in references.items() if ref["name"] in secrets}


def rushdesk_toml(manifests):
    return next(m["data"]["rushdesk.toml"] for m in manifests if "rushdesk.toml" in m.get("data", {}))


def container(manifests):
    return one(manifests, "Deployment")["spec"]["template"]["spec"]["containers"][0]


REFUSED = {
    # What is wrong: (values over the minimal ones, words of the message).
    "no secret": ({"secret": {"jwtSecret": "", "mysqlUrl": "", "redisUrl": ""}},
                  ["secret.jwtSecret: is required", "secret.mysqlUrl: is required", "secret.redisUrl: is required"]),
    "a short key": ({"secret": {"jwtSecret": "tooshort"}}, ["secret.jwtSecret: must have at least 32 bytes"]),
    "an example key": ({"secret": {"jwtSecret": "change-me-change-me-change-me-change-me"}}, ["secret.jwtSecret: is an example"]),
    "a default password": ({"secret": {"mysqlUrl": "mysql://root:password@db:3306/rushdesk"}},
                           ["secret.mysqlUrl: has an empty or a well-known password"]),
    "no password": ({"secret": {"mysqlUrl": "mysql://db:3306/rushdesk"}}, ["secret.mysqlUrl: has no user and password"]),
    "another store": ({"secret": {"redisUrl": "memcached://10.0.0.1"}}, ["secret.redisUrl: must begin with redis"]),
    "sentinels without a master": ({"secret": {"redisUrl": "redis-sentinel://:k3uLw9@10.0.1.1:26379/0"}, "redis": {"egress": {"to": [{"podSelector": {}}]}}},
                                   ["secret.redisUrl: sentinels need the name of the master"]),
    "a cluster somewhere": ({"secret": {"redisUrl": "rediss-cluster://:k3uLw9@10.0.1.1:6379,10.0.1.2:6379"}},
                            ["redis.egress: say where all its nodes are"]),
    "a short second key": ({"secret": {"jwtSecret": "2f7a0c1d9b3e4f5061728394a5b6c7d8\ntooshort"}}, ["secret.jwtSecret: must have at least 32 bytes in each line"]),
    "a certificate in the configuration": ({"config": {"server": {"tls_key": "/a"}}}, ["config.server.tls_key: belongs into tls.secretName"]),
    "a certificate that Prometheus cannot check": ({"tls": {"secretName": "a"}, "serviceMonitor": {"enabled": True}}, ["serviceMonitor.tlsConfig: pods are scraped"]),
    "a provider somewhere": ({"config": {"auth": {"oidc": [{"jwks_url": "https://id.shop.example/jwks"}]}}}, ["oidc.egress: say where `id.shop.example` is"]),
    "a provider without TLS": ({"config": {"auth": {"oidc": [{"jwks_url": "http://10.0.0.9/jwks"}]}}}, ["/config/auth/oidc/0/jwks_url", "pattern"]),
    "a secret twice": ({"secret": {"existing": "there"}}, ["secret.jwtSecret: leave it empty, secret.existing has it"]),
    "a secret in the configuration": ({"config": {"store": {"mysql_url": "mysql://a"}}}, ["config.store.mysql_url: belongs into secret.mysqlUrl"]),
    "a key of a backend": ({"backends": [{"name": "a", "kind": "vllm", "url": "http://10.0.0.1", "model": "m", "slots": 1, "api_key": "k"}]},
                           ["backends[0].api_key: belongs into a Secret"]),
    "replicas and autoscaling": ({"replicas": 3, "autoscaling": {"mode": "custom-metrics"}}, ["replicas: leave it empty with autoscaling.mode"]),
    "keda without Prometheus": ({"autoscaling": {"mode": "keda"}}, ["autoscaling.keda.prometheus: mode keda needs"]),
    "more at least than at most": ({"autoscaling": {"mode": "custom-metrics", "minReplicas": 9, "maxReplicas": 3}}, ["autoscaling.minReplicas: must not be more"]),
    "a short grace": ({"terminationGracePeriodSeconds": 30}, ["terminationGracePeriodSeconds: a drain takes up to 100 seconds"]),
    "a drain shorter than a turn": ({"config": {"server": {"drain_timeout_ms": 25000}}}, ["drain_timeout_ms: 25000 is less than the longest turn"]),
    "a store somewhere": ({"secret": {"mysqlUrl": "mysql://shop:k3uLw9@db.example.com/rushdesk"}}, ["mysql.egress: say where `db.example.com` is"]),
    "a backend somewhere": ({"backends": [{"name": "a", "kind": "vllm", "url": "http://gpu.example.com", "model": "m", "slots": 1}]},
                            ["backends[0].egress: say where `gpu.example.com` is"]),
    "an ingress without a host": ({"ingress": {"enabled": True}}, ["ingress.hosts: an ingress needs a host"]),
    "an unknown value": ({"replicaCount": 3}, ["replicaCount", "not allowed"]),
    "an unknown value inside": ({"ingress": {"enable": True}}, ["/ingress", "enable", "not allowed"]),
    "a word for a number": ({"service": {"port": "http"}}, ["/service/port", "want null or integer"]),
    "an unknown mode": ({"autoscaling": {"mode": "cpu"}}, ["/autoscaling/mode", "keda"]),
    "a broken digest": ({"image": {"digest": "sha256:abc"}}, ["/image/digest", "pattern"]),
    "an unknown kind of backend": ({"backends": [{"name": "a", "kind": "tgi", "url": "http://10.0.0.1", "model": "m", "slots": 1}]}, ["/backends/0/kind", "vllm"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_wrong_values_are_refused_with_a_reason(name, tmp_path):
    values, words = REFUSED[name]
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    done = helm_template("--values", ROOT / "helm/tests/values/minimal.yaml", "--values", file)
    assert done.returncode != 0
    for word in words:
        assert word in done.stderr, done.stderr
    # A message may end in a log that others read.
    assert "k3uLw9" not in done.stderr and "tooshort" not in done.stderr


def test_the_default_values_lack_only_the_secrets():
    done = helm_template()
    assert done.returncode != 0
    faults = [line for line in done.stderr.splitlines() if re.match(r"[a-zA-Z.]+: ", line) and not line.startswith("Error")]
    assert len(faults) == 3 and all(fault.startswith("secret.") for fault in faults), done.stderr


@pytest.mark.parametrize("name", ["full", "tls-oidc"])
def test_alerts_know_the_job_that_is_scraped(name):
    (end,) = one(render("--values", ROOT / f"helm/tests/values/{name}.yaml"), "ServiceMonitor")["spec"]["endpoints"]
    job = next(rule["replacement"] for rule in end["relabelings"] if rule["targetLabel"] == "job")
    rules = "".join(path.read_text() for path in sources("alerts"))
    known = re.findall(r'job=~"([^"]+)"', rules)
    assert known and all(re.fullmatch(pattern, job) for pattern in known)


@pytest.mark.parametrize("kind", ["dashboards", "alerts"])
def test_the_files_of_the_chart_are_those_of_grafana(kind):
    """`make helm-files` copies them: a chart cannot read outside its folder."""
    source = {path.name: path.read_bytes() for path in sources(kind)}
    copies = {path.name: path.read_bytes() for path in (CHART / "files" / kind).glob("*.*") if path.name != ".gitkeep"}
    assert copies == source


def sources(kind):
    folder = ROOT / "grafana" / kind
    if kind == "dashboards":
        return sorted(folder.glob("*.json"))
    # Beside rules there may be tests of rules.
    return [path for path in sorted(folder.glob("*.y*ml")) if "groups" in (yaml.safe_load(path.read_text()) or {})]


def test_rules_and_dashboards_are_in_the_manifests():
    manifests = render("--values", ROOT / "helm/tests/values/full.yaml")
    shown = [m for m in manifests if m["kind"] == "ConfigMap" and "grafana_dashboard" in m["metadata"]["labels"]]
    assert sorted(name for m in shown for name in m["data"]) == [path.name for path in sources("dashboards")]
    assert all(json.loads(text) for m in shown for text in m["data"].values())
    rules = [m for m in manifests if m["kind"] == "PrometheusRule"]
    wanted = [group for path in sources("alerts") for group in yaml.safe_load(path.read_text())["groups"]]
    assert [group for m in rules for group in m["spec"]["groups"]] == wanted
