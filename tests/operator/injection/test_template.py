"""What the injector's settings say of every sidecar."""

import pytest

from penstock_operator.environment import SettingsError
from penstock_operator.injection.template import Template
from penstock_operator.settings import Settings


def test_the_image_is_that_of_our_version_unless_set() -> None:
    assert Template.of(Settings(), "1.2.3").image == "penstock-sidecar:1.2.3"
    set_ = Settings(sidecar_image="registry.local/sidecar@sha256:abc")
    assert Template.of(set_, "1.2.3").image == "registry.local/sidecar@sha256:abc"


def test_pain_05_the_system_s_namespaces_and_ours_are_protected() -> None:
    found = Template.of(Settings(namespace="llm"), "1").protected_namespaces
    assert found == {"kube-system", "kube-public", "kube-node-lease", "llm"}


@pytest.mark.parametrize(
    "resources",
    [
        {"requests": {"cpu": "much"}},
        {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}},
        {"requests": {"memory": "1Gi"}, "limits": {"memory": "1G"}},
    ],
)
def test_resources_that_no_container_can_have_are_refused_at_the_start(
    resources: dict[str, dict[str, str]],
) -> None:
    with pytest.raises(SettingsError, match=r"PENSTOCK_SIDECAR_RESOURCES: (cpu|memory): expected"):
        Template.of(Settings(sidecar_resources=resources), "1")


def test_no_resources_at_all_are_a_choice() -> None:
    assert Template.of(Settings(sidecar_resources={}), "1").resources == {}
