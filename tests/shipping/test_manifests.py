"""What is shipped to start the service elsewhere: compose, Kubernetes and the image, checked without any engine."""

import json
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from cds_service.clients.load import load_profiles
from cds_service.settings import Settings, load_approvals, load_site

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
KUBERNETES = ROOT / "deploy/kubernetes"
PROFILES = {
    "default": {"cds", "hapi", "loader"},
    "prod": {"first-start", "database", "migrate", "replica-1", "replica-2", "proxy"},
    "observability": {"prometheus"},
}
RENDERER = next(
    ([path, *words] for name, words in (("kustomize", ["build"]), ("kubectl", ["kustomize"]))
     if (path := shutil.which(name))), None,
)  # fmt: skip
needs_schema = pytest.mark.skipif(
    find_spec("check_jsonschema") is None,
    reason="NOT TESTED: check-jsonschema is not installed (make setup-ci)",
)
needs_renderer = pytest.mark.skipif(
    RENDERER is None or find_spec("kubernetes_validate") is None,
    reason="NOT TESTED: kustomize (or kubectl) or kubernetes-validate is not installed",
)


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load(COMPOSE.read_text())


@needs_schema
def test_compose_fits_the_compose_specification():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_service_belongs_to_one_profile_and_a_bare_up_starts_the_default(compose):
    found = {name: set() for name in PROFILES}
    for name, service in compose["services"].items():
        (profile,) = service["profiles"]
        found[profile].add(name)
    assert found == PROFILES
    assert "COMPOSE_PROFILES=default" in (ROOT / ".env").read_text().split("\n")


def test_what_compose_names_exists(compose):
    for name, service in compose["services"].items():
        for volume in service.get("volumes", ()):
            source = volume.split("}")[-1].split(":")[0] or "./deploy/site"
            known = source in compose["volumes"] or (ROOT / source).exists()
            assert known, f"{name}: {volume}"
        assert set(service.get("networks", ())) <= set(compose["networks"]), name
        assert set(service.get("depends_on", ())) <= set(compose["services"]), name


def test_ports_are_published_on_loopback_only(compose):
    published = [port for service in compose["services"].values() for port in service.get("ports", ())]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_every_container_is_hardened(compose):
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "privileged" not in service
        assert "cap_add" not in service
        # HAPI unpacks itself at its start.
        assert service.get("read_only", False) is (name != "hapi"), name


def test_every_server_has_a_health_check(compose):
    for name, service in compose["services"].items():
        one_shot = service["restart"] == "no"
        assert ("test" in service["healthcheck"]) is not one_shot, name


def test_no_secret_stands_in_a_shipped_file(compose):
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            secret = re.search(r"password|secret|token|key", variable, re.IGNORECASE)
            assert not secret or str(value).startswith("/secrets/"), f"{name}: {variable}"
    for path in (ROOT / "deploy").rglob("*"):
        if path.is_file():
            assert "PRIVATE KEY" not in path.read_text(), path
            assert "kind: Secret" not in path.read_text(), path


def settings_in(environment):
    known = {f"CDS_{name}".upper() for name in Settings.model_fields}
    return {name for name in environment if name.startswith("CDS_")} - known


def test_only_settings_that_exist_are_set(compose):
    for name, service in compose["services"].items():
        assert settings_in(service.get("environment", {})) == set(), name
    data = yaml.safe_load((KUBERNETES / "base/settings.yaml").read_text())["data"]
    assert settings_in(data) == set()


@pytest.mark.parametrize(
    "folder", [ROOT / "deploy/site", KUBERNETES / "example"], ids=["compose", "kubernetes"]
)
def test_the_files_of_a_site_can_be_read_in_production(folder):
    load_profiles((folder / "clients.json").read_bytes(), environment="production", default_catalog={})
    assert load_approvals(folder / "approvals.json") == frozenset()
    assert load_site(folder / "site.toml", {}).clinical == {}


def test_the_first_start_makes_each_secret_once(tmp_path):
    script = [sys.executable, ROOT / "scripts/first_start.py", tmp_path, "--name", "cds.example.org"]
    printed = [subprocess.run(script, capture_output=True, text=True, check=True).stdout for _ in range(2)]
    made = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*") if path.is_file()}
    assert set(made) == {
        "service/cds_hash_key",
        "service/cds_operator_key",
        "service/cds_store_password",
        "database/password",
        "proxy/tls.crt",
        "proxy/tls.key",
    }
    assert made["service/cds_store_password"].read_text() == made["database/password"].read_text()
    modes = {path.stat().st_mode & 0o777 for name, path in made.items() if name.startswith("service")}
    assert modes == {0o400}
    assert "made" in printed[0]
    assert "made" not in printed[1]
    for path in made.values():
        assert path.read_text().strip() not in "".join(printed)


# --- Kubernetes ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def manifests(tmp_path_factory):
    """The example's layer over the base, as it would be applied."""
    done = subprocess.run([*RENDERER, KUBERNETES / "example"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    path = tmp_path_factory.mktemp("manifests") / "all.yaml"
    path.write_text(done.stdout)
    return path


def pods(manifests):
    for document in yaml.safe_load_all(manifests.read_text()):
        template = document["spec"].get("template") if "spec" in document else None
        if template:
            yield document["kind"], template["spec"]


@needs_renderer
def test_the_manifests_fit_the_schemas_of_kubernetes(manifests):
    command = [Path(sys.executable).parent / "kubernetes-validate", "--strict", manifests]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    kinds = {document["kind"] for document in yaml.safe_load_all(manifests.read_text())}
    assert kinds >= {
        "Deployment",
        "Job",
        "Service",
        "PodDisruptionBudget",
        "HorizontalPodAutoscaler",
        "NetworkPolicy",
        "ConfigMap",
        "ServiceAccount",
    }


@needs_renderer
def test_every_pod_meets_the_restricted_standard(manifests):
    found = list(pods(manifests))
    assert {kind for kind, _ in found} == {"Deployment", "Job"}
    for _, pod in found:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert "memory" in container["resources"]["limits"]


@needs_renderer
def test_a_pod_is_given_the_time_to_finish_its_calls(manifests):
    documents = list(yaml.safe_load_all(manifests.read_text()))
    (settings,) = (d["data"] for d in documents if d["metadata"]["name"] == "cds-settings")
    (pod,) = (pod for kind, pod in pods(manifests) if kind == "Deployment")
    drain_s = int(settings["CDS_DRAIN_MS"]) / 1000
    probe = pod["containers"][0]["readinessProbe"]
    # Taken out of the load balancer before it stops to listen, and not killed before its calls have ended.
    assert probe["periodSeconds"] * probe["failureThreshold"] < drain_s
    deadline_s = Settings.model_fields["deadline_ms"].default / 1000
    assert pod["terminationGracePeriodSeconds"] > drain_s + deadline_s + 10


@needs_renderer
def test_nothing_can_be_reached_but_what_is_listed(manifests):
    policies = [d for d in yaml.safe_load_all(manifests.read_text()) if d["kind"] == "NetworkPolicy"]
    assert any("Egress" in policy["spec"]["policyTypes"] for policy in policies)
    for policy in policies:
        for rule in policy["spec"].get("egress", ()):
            assert rule["to"]
            assert rule["ports"]
            assert "0.0.0.0/0" not in json.dumps(rule)


# --- image -----------------------------------------------------------------------------------------------------------


def test_the_image_runs_as_nobody_in_particular_and_names_no_digest():
    text = (ROOT / "Dockerfile").read_text()
    (user,) = re.findall(r"^USER (\S+)$", text, re.MULTILINE)
    assert user == "10001:10001"
    assert re.findall(r"@sha256:[0-9a-f]+", text) == []
    assert "ADD " not in text
