"""The node agents: where they run, with what rights, and what they are told."""

import re

import pytest

from penstock_agent.settings import Settings
from penstock_operator.ollama.names import GPU_INVENTORY_PREFIX
from tests.chart.rendering import (
    OLDEST,
    OWN,
    VARIANTS,
    Document,
    Values,
    containers,
    named,
    of_kind,
    render,
    template,
)
from tests.chart.test_rights import rights

AGENT = VARIANTS["agent"]
FROM_THE_POD = {
    "PENSTOCK_NODE_NAME": "spec.nodeName",
    "PENSTOCK_NAMESPACE": "metadata.namespace",
    "PENSTOCK_POD_NAME": "metadata.name",
    "PENSTOCK_POD_UID": "metadata.uid",
}
with_agents = pytest.mark.parametrize("variant", ["agent", "agent-with-class", "placed"])


def pod(values: Values) -> Document:
    found: Document = named(render(values), "DaemonSet", "penstock-agent")["spec"]["template"]
    return found


def test_by_default_there_is_none() -> None:
    documents = render({})
    assert of_kind(documents, "DaemonSet") == []
    assert not any("agent" in each["metadata"]["name"] for each in documents)


def terms(values: Values) -> list[Document]:
    (rule,) = pod(values)["spec"]["affinity"]["nodeAffinity"].items()
    kind, required = rule
    assert kind == "requiredDuringSchedulingIgnoredDuringExecution"
    return [
        {each["key"]: (each["operator"], each.get("values")) for each in term["matchExpressions"]}
        for term in required["nodeSelectorTerms"]
    ]


def test_they_run_on_nodes_that_are_known_to_have_a_gpu() -> None:
    """So that nothing runs where there is none: each term asks for one label, any of them does."""
    found = [
        [key for key, asked in term.items() if asked == ("In", ["true"])] for term in terms(AGENT)
    ]
    assert found == [
        ["nvidia.com/gpu.present"],
        ["feature.node.kubernetes.io/pci-10de.present"],
        ["feature.node.kubernetes.io/pci-0300_10de.present"],
        ["feature.node.kubernetes.io/pci-0302_10de.present"],
    ]


def test_they_leave_while_the_driver_is_changed() -> None:
    """They hold it open. Labels as k8s-driver-manager and mig-parted set them; old GPU Operators
    know the device plugin's alone."""
    paused = ("NotIn", ["paused-for-driver-upgrade", "paused-for-mig-change"])
    for term in terms(AGENT):
        assert term["nvidia.com/gpu.deploy.client"] == paused
        assert term["nvidia.com/gpu.deploy.device-plugin"] == paused


def test_an_affinity_of_the_users_replaces_all_of_it() -> None:
    (term,) = terms(VARIANTS["placed"])
    assert term.keys() == {"infra"}


def test_they_stand_gpu_taints() -> None:
    assert pod(AGENT)["spec"]["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists"}]


@with_agents
def test_they_see_all_gpus_and_take_none(variant: str) -> None:
    found = pod(VARIANTS[variant])
    (agent,) = containers(found)
    environment = {each["name"]: each.get("value") for each in agent["env"]}
    assert environment["NVIDIA_VISIBLE_DEVICES"] == "all"
    assert environment["NVIDIA_DRIVER_CAPABILITIES"] == "utility"
    assert "nvidia.com" not in str(agent["resources"])
    assert agent["resources"]["requests"].keys() == {"cpu", "memory"}


@with_agents
def test_they_hold_no_part_of_their_node(variant: str) -> None:
    spec = pod(VARIANTS[variant])["spec"]
    assert not {"hostNetwork", "hostPID", "hostIPC", "volumes"} & spec.keys()
    assert spec["securityContext"]["runAsNonRoot"] is True


@with_agents
def test_their_settings_are_those_that_they_know(variant: str) -> None:
    (agent,) = containers(pod(VARIANTS[variant]))
    ours = [each for each in agent["env"] if each["name"].startswith("PENSTOCK_")]
    known = {f"PENSTOCK_{field.upper()}" for field in Settings.__annotations__}
    assert {each["name"] for each in ours} <= known
    fields = {e["name"]: e["valueFrom"]["fieldRef"]["fieldPath"] for e in ours if "valueFrom" in e}
    assert fields == FROM_THE_POD
    read = Settings.from_environment({e["name"]: e.get("value", "given") for e in ours})
    assert read.period_seconds == VARIANTS[variant]["agent"].get("periodSeconds", 5)
    (port,) = agent["ports"]
    assert (port["name"], read.probe_port) == ("probes", port["containerPort"])
    assert agent["command"] == ["/opt/penstock/bin/penstock-agent"]


def test_the_operators_image_is_theirs() -> None:
    documents = render(VARIANTS["agent-with-class"])
    operator = named(documents, "Deployment", "penstock-operator")["spec"]["template"]
    (agent,) = containers(pod(VARIANTS["agent-with-class"]))
    assert agent["image"] == operator["spec"]["containers"][0]["image"]
    assert agent["imagePullPolicy"] == "Always"


def test_a_runtime_class_and_the_nodes_processes_are_asked_for_only_on_demand() -> None:
    assert "runtimeClassName" not in pod(AGENT)["spec"]
    assert pod(VARIANTS["agent-with-class"])["spec"]["runtimeClassName"] == "nvidia"
    assert pod({"agent": {"enabled": True, "hostPID": True}})["spec"]["hostPID"] is True


def test_they_may_write_config_maps_and_nothing_else() -> None:
    assert rights(AGENT, "penstock-agent") == {OWN: {"configmaps: create,patch"}}


def test_the_operator_reads_what_they_write() -> None:
    with_them, without = rights(AGENT, "penstock-operator"), rights({}, "penstock-operator")
    assert with_them[OWN] - without[OWN] == {"configmaps: list"}
    assert with_them["*"] == without["*"]


def test_a_policy_says_what_rights_cannot() -> None:
    """`tests/cluster/test_agent_policy.py` runs it."""
    documents = render(AGENT)
    spec = named(documents, "ValidatingAdmissionPolicy", "penstock-agent-configmaps")["spec"]
    (condition,) = spec["matchConditions"]
    account = pod(AGENT)["spec"]["serviceAccountName"]
    named(documents, "ServiceAccount", account)
    user = f"system:serviceaccount:{OWN}:{account}"
    assert condition["expression"] == f"request.userInfo.username == '{user}'"
    assert spec["failurePolicy"] == "Fail"
    (rule,) = spec["matchConstraints"]["resourceRules"]
    assert (rule["resources"], rule["operations"]) == (["configmaps"], ["CREATE", "UPDATE"])
    assert set(re.findall(r"'(penstock-[a-z]+-)'", str(spec["validations"]))) == {
        GPU_INVENTORY_PREFIX
    }
    binding = named(documents, "ValidatingAdmissionPolicyBinding", "penstock-agent-configmaps")
    assert binding["spec"]["validationActions"] == ["Deny"]


def test_an_old_server_gets_no_policy() -> None:
    kinds = {each["kind"] for each in render(AGENT, OLDEST)}
    assert "ValidatingAdmissionPolicy" not in kinds
    assert "DaemonSet" in kinds


def test_their_metrics_are_let_in() -> None:
    policy = named(render(AGENT), "NetworkPolicy", "penstock-agent")["spec"]
    assert policy["ingress"] == [{"ports": [{"port": 8080, "protocol": "TCP"}]}]
    labels = pod(AGENT)["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= labels.items()


def test_a_period_that_makes_readings_stale_is_refused() -> None:
    done = template({"agent": {"enabled": True, "periodSeconds": 0}})
    assert done.returncode != 0
    assert "periodSeconds" in done.stderr
