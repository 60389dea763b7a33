"""Our own pods: restricted, bounded, spread, and told what their programs read."""

import re

import pytest

from penstock_embedder.redis_client import client_of
from penstock_embedder.settings import PREFIX
from penstock_embedder.settings import Settings as EmbedderSettings
from penstock_operator.settings import Settings
from tests.chart.rendering import (
    OWN,
    VARIANTS,
    Document,
    Values,
    containers,
    named,
    of_kind,
    pods,
    render,
)
from tests.operator.injection.pod_security import violations

each_variant = pytest.mark.parametrize("variant", VARIANTS)


@each_variant
def test_pain_15_they_are_restricted(variant: str) -> None:
    found = dict(pods(render(VARIANTS[variant])))
    assert found
    assert {name: faults for name, pod in found.items() if (faults := violations(pod))} == {}


@each_variant
def test_nothing_is_written_to_the_root_file_system(variant: str) -> None:
    for _, pod in pods(render(VARIANTS[variant])):
        for each in containers(pod):
            assert each["securityContext"]["readOnlyRootFilesystem"] is True


@each_variant
def test_every_container_has_a_bound(variant: str) -> None:
    for _, pod in pods(render(VARIANTS[variant])):
        for each in containers(pod):
            resources = each["resources"]
            assert {"cpu", "memory"} <= resources["requests"].keys()
            assert "memory" in resources["limits"]


@each_variant
def test_only_those_that_ask_the_api_server_have_a_token(variant: str) -> None:
    documents = render(VARIANTS[variant])
    for each in of_kind(documents, "ServiceAccount"):
        assert each["automountServiceAccountToken"] is False
    tokens = {name: pod["spec"]["automountServiceAccountToken"] for name, pod in pods(documents)}
    tokenless = {"penstock-redis", "penstock-embedder"}
    assert {name for name, has in tokens.items() if not has} == tokenless & tokens.keys()


@each_variant
def test_what_is_mounted_is_there(variant: str) -> None:
    documents = render(VARIANTS[variant])
    claims = {
        claim["metadata"]["name"]
        for each in of_kind(documents, "StatefulSet")
        for claim in each["spec"].get("volumeClaimTemplates", ())
    }
    for _, pod in pods(documents):
        volumes = {volume["name"] for volume in pod["spec"].get("volumes", ())} | claims
        for each in containers(pod):
            assert {mount["name"] for mount in each.get("volumeMounts", ())} <= volumes


def test_replicas_are_spread_and_kept() -> None:
    documents = render({})
    for part in ("operator", "injector"):
        deployment = named(documents, "Deployment", f"penstock-{part}")
        selector = deployment["spec"]["selector"]
        assert deployment["spec"]["replicas"] == 2
        spread = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert [each["labelSelector"] for each in spread] == [selector, selector]
        budget = named(documents, "PodDisruptionBudget", f"penstock-{part}")
        assert budget["spec"] == {"maxUnavailable": 1, "selector": selector}
        assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_placement_reaches_each_pod() -> None:
    for name, pod in pods(render(VARIANTS["placed"])):
        if name == "penstock-test":
            continue
        assert pod["spec"]["nodeSelector"] == {"disk": "fast"}, name
        assert pod["spec"]["tolerations"]
        assert pod["spec"]["affinity"]
        assert pod["spec"]["priorityClassName"] == "system-cluster-critical"


def settings(pod: Document, container: str) -> Settings:
    """What the container's program makes of its environment; values of Secrets are `given`."""
    (found,) = (each for each in containers(pod) if each["name"] == container)
    environment = {each["name"]: each.get("value", "given") for each in found["env"]}
    known = {f"PENSTOCK_{field.upper()}" for field in Settings.__annotations__}
    assert {name for name in environment if name.startswith("PENSTOCK_")} <= known
    if "PENSTOCK_REDIS_CA_FILE" in environment:  # it must be there
        environment["PENSTOCK_REDIS_CA_FILE"] = __file__
    return Settings.from_environment(environment)


@each_variant
def test_settings_are_those_that_the_programs_know(variant: str) -> None:
    """A variable that nobody reads is a mistake, and one that is refused too."""
    for name, pod in pods(render(VARIANTS[variant])):
        for each in containers(pod):
            if name in {"penstock-operator", "penstock-injector"}:
                cluster = VARIANTS[variant].get("cluster", "default")
                assert settings(pod, each["name"]).cluster == cluster


@pytest.mark.parametrize(
    "variant", ["embedder", "embedder-scaled", "embedder-shared-login", "placed", "monitoring"]
)
def test_the_embedder_s_settings_are_those_that_it_knows(variant: str) -> None:
    pod = dict(pods(render(VARIANTS[variant])))["penstock-embedder"]
    (found,) = containers(pod)
    environment = {each["name"]: each.get("value", "given") for each in found["env"]}
    known = {f"{PREFIX}{field.upper()}" for field in EmbedderSettings.__annotations__}
    assert {name for name in environment if name.startswith("PENSTOCK_")} <= known
    read = EmbedderSettings.from_environment(environment)
    assert read.secret == "given"
    assert client_of(read)
    (port,) = found["ports"]
    assert read.port == port["containerPort"]
    values = VARIANTS[variant]["embedder"]
    assert read.workers == values.get("workers", 1)
    assert read.max_index_mib == values.get("maxIndexMiB", 1024)
    assert (read.model, read.backend) == (values.get("model", ""), values.get("backend", "auto"))


def injector(values: Values) -> Settings:
    pod = named(render(values), "Deployment", "penstock-injector")["spec"]["template"]
    return settings(pod, "injector")


def operator(values: Values) -> Settings:
    pod = named(render(values), "Deployment", "penstock-operator")["spec"]["template"]
    return settings(pod, "operator")


def test_the_operator_knows_where_and_with_what_it_runs_models() -> None:
    read = operator(VARIANTS["models"])
    assert read.ollama_namespaces == ("models", "platform")
    assert (read.ollama_image, read.ollama_pull_policy) == (
        "registry.example.com/ollama:1",
        "Always",
    )
    assert read.ollama_pull_secrets == ("registry",)
    assert read.ollama_environment == {"HTTPS_PROXY": "http://proxy:3128"}
    assert read.ollama_runtime_class == "nvidia"
    assert read.ollama_network_policies
    own = named(render(VARIANTS["models"]), "Deployment", "penstock-operator")
    assert read.loader_image == own["spec"]["template"]["spec"]["containers"][0]["image"]
    assert not operator(VARIANTS["models-namespaced"]).ollama_network_policies


def test_by_default_models_are_run_nowhere_and_the_image_is_that_of_the_settings() -> None:
    assert operator({}).ollama_namespaces == ()
    there = operator({"ollama": {"namespaces": ["models"]}})
    assert there.ollama_image == Settings().ollama_image


def test_the_injector_knows_the_names_of_the_release() -> None:
    documents, read = render({}), injector({})
    assert named(documents, "Service", read.webhook_service)
    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        assert named(documents, kind, read.webhook_configuration)
    account = named(documents, "Deployment", "penstock-operator")["spec"]["template"]["spec"]
    name = account["serviceAccountName"]
    assert read.operator_account == f"system:serviceaccount:{OWN}:{name}"
    assert named(documents, "ServiceAccount", name)


def test_the_injector_gives_pods_the_sidecar_that_values_say() -> None:
    read = injector(VARIANTS["images"])
    assert read.sidecar_image == "registry.example.com/platform/penstock-sidecar:9.9.9"
    assert read.sidecar_pull_policy == "Always"
    resources = {"requests": {"cpu": "10m"}, "limits": {"memory": "1Gi"}}
    other = injector({"sidecar": {"resources": resources}}).sidecar_resources
    assert "10m" in str(other)
    assert "1Gi" in str(other)
    assert injector(VARIANTS["strict-injector"]).native_sidecars == "never"


def test_the_operator_finds_the_redis_of_the_chart() -> None:
    documents, read = render({}), operator({})
    found = re.fullmatch(r"redis://([a-z-]+)\.([a-z-]+)\.svc:6379", read.redis_url or "")
    assert found
    assert named(documents, "Service", found[1])["metadata"]["namespace"] == found[2]
    assert read.redis_manage_users
    assert (read.redis_username, read.redis_password) == ("given", "given")


def test_the_operator_finds_another_redis() -> None:
    read = operator(VARIANTS["redis-elsewhere"])
    assert read.redis_url == "rediss+sentinel://a:26379,b:26379/main"
    assert read.redis_sentinel_username == read.redis_sentinel_password == "given"
    assert read.redis_ca_file
    assert operator(VARIANTS["no-redis"]).redis_url is None


def test_the_operator_is_told_of_namespaces() -> None:
    read = operator(VARIANTS["namespaced"])
    assert read.watch_namespaces == ("team-a", "team-b")
    assert read.provider_namespaces == ("team-a",)
    assert not operator(VARIANTS["no-nudge"]).nudge
