"""`kind-config.yaml` by kind's own rules (v1alpha4) and NVIDIA's labels; kind itself is not here.

Fields: github.com/kubernetes-sigs/kind, pkg/apis/config/v1alpha4. Labels:
github.com/NVIDIA/k8s-device-plugin, docs/gpu-feature-discovery.
"""

import re
from typing import Any

import pytest
import yaml

from tests.images.conftest import ROOT

CLUSTER_FIELDS = {
    *("kind", "apiVersion", "name", "nodes", "networking", "featureGates", "runtimeConfig"),
    *("kubeadmConfigPatches", "kubeadmConfigPatchesJSON6902"),
    *("containerdConfigPatches", "containerdConfigPatchesJSON6902"),
}
NODE_FIELDS = {
    *("role", "image", "labels", "extraMounts", "extraPortMappings"),
    *("kubeadmConfigPatches", "kubeadmConfigPatchesJSON6902"),
}
FEATURE_DISCOVERY = {
    *("gpu.present", "gpu.product", "gpu.memory", "gpu.count", "gpu.replicas", "gpu.family"),
    *("gpu.compute.major", "gpu.compute.minor", "gpu.sharing-strategy", "gpu.mode"),
    *("mig.capable", "mps.capable", "cuda.driver-version.full"),
}
NUMBERS = ("gpu.memory", "gpu.count", "gpu.replicas", "gpu.compute.major", "gpu.compute.minor")


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    found = yaml.safe_load((ROOT / "kind-config.yaml").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def gpu_node(config: dict[str, Any]) -> dict[str, Any]:
    (node,) = [node for node in config["nodes"] if "labels" in node]
    assert isinstance(node, dict)
    return node


def test_it_has_fields_that_kind_knows_and_no_other(config: dict[str, Any]) -> None:
    assert (config["kind"], config["apiVersion"]) == ("Cluster", "kind.x-k8s.io/v1alpha4")
    assert re.fullmatch(r"[a-z0-9.-]+", config["name"])
    assert config.keys() <= CLUSTER_FIELDS
    assert [node.keys() - NODE_FIELDS for node in config["nodes"]] == [set()] * 3


def test_there_are_a_control_plane_and_two_workers(config: dict[str, Any]) -> None:
    roles = [node["role"] for node in config["nodes"]]
    assert roles == ["control-plane", "worker", "worker"]


def test_one_worker_claims_a_gpu_as_feature_discovery_would(gpu_node: dict[str, Any]) -> None:
    """Values are strings: kind hands them to the kubelet, which refuses others."""
    assert gpu_node["role"] == "worker"
    labels = {key.removeprefix("nvidia.com/"): value for key, value in gpu_node["labels"].items()}
    assert labels.keys() == FEATURE_DISCOVERY
    assert all(re.fullmatch(r"[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?", v) for v in labels.values())
    assert all(labels[name].isdecimal() for name in NUMBERS)
    assert labels["gpu.sharing-strategy"] in ("none", "time-slicing", "mps")


def test_pods_that_ask_for_no_gpu_stay_away(gpu_node: dict[str, Any]) -> None:
    """kind has no field for taints; kubeadm sets them when the node joins."""
    (patch,) = map(yaml.safe_load, gpu_node["kubeadmConfigPatches"])
    assert patch["kind"] == "JoinConfiguration"
    assert patch["nodeRegistration"] == {
        "taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]
    }
