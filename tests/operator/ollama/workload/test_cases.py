"""Cases on disk: `cases/<name>.in.yaml` becomes the objects of `cases/<name>.out.yaml`.

After a wanted change, write the outputs anew and read the difference:

    PENSTOCK_UPDATE_CASES=1 pytest tests/operator/ollama/workload/test_cases.py
"""

import copy
import os

import kubernetes_validate
import pytest
import yaml

from penstock_operator.ollama.models_file import ModelsFile
from penstock_operator.ollama.names import MODELS_KEY
from tests.operator.injection.pod_security import violations
from tests.operator.ollama.workload.plans import CASES, NAMES, Document, read

each_case = pytest.mark.parametrize("name", NAMES)
OLDEST, NEWEST = "1.29.0", "1.37.0"


def of_kind(name: str, kind: str) -> list[Document]:
    return [each for each in read(name).objects if each["kind"] == kind]


@each_case
def test_a_plan_becomes_these_objects(name: str) -> None:
    found = copy.deepcopy(list(read(name).objects))
    path = CASES / f"{name}.out.yaml"
    if os.environ.get("PENSTOCK_UPDATE_CASES"):
        path.write_text(yaml.safe_dump_all(found, sort_keys=False, width=100), "utf-8")
    assert found == list(yaml.safe_load_all(path.read_text("utf-8")))


@pytest.mark.parametrize("server", [OLDEST, NEWEST])
@each_case
def test_servers_take_every_object(name: str, server: str) -> None:
    for document in read(name).objects:
        if document["apiVersion"] != "policy/v1beta1":  # of servers whose schemas are not at hand
            kubernetes_validate.validate(document, server, strict=True)


def test_the_check_of_objects_finds_a_wrong_one() -> None:
    (deployment,) = of_kind("one-gpu", "Deployment")
    wrong = copy.deepcopy(deployment)
    wrong["spec"]["template"]["spec"]["containers"][0]["redinessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="redinessProbe"):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


@each_case
def test_pods_are_restricted(name: str) -> None:
    for document in of_kind(name, "Deployment"):
        assert violations(document["spec"]["template"]) == []
        for container in document["spec"]["template"]["spec"]["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True


@each_case
def test_extended_resources_are_asked_for_by_as_much_as_they_are_bounded(name: str) -> None:
    """The API server refuses anything else."""
    for document in of_kind(name, "Deployment"):
        for container in document["spec"]["template"]["spec"]["containers"]:
            requests = container["resources"]["requests"]
            limits = container["resources"].get("limits", {})
            extended = {key: amount for key, amount in requests.items() if "/" in key}
            assert extended == {key: amount for key, amount in limits.items() if "/" in key}


@each_case
def test_what_is_mounted_is_there(name: str) -> None:
    maps = {each["metadata"]["name"] for each in of_kind(name, "ConfigMap")}
    claims = {each["metadata"]["name"] for each in of_kind(name, "PersistentVolumeClaim")}
    for document in of_kind(name, "Deployment"):
        pod = document["spec"]["template"]["spec"]
        volumes = {each["name"]: each for each in pod["volumes"]}
        mounted = {m["name"] for each in pod["containers"] for m in each["volumeMounts"]}
        assert mounted == volumes.keys()
        assert not any("subPath" in m for each in pod["containers"] for m in each["volumeMounts"])
        assert volumes["orders"]["configMap"]["name"] in maps
        own = volumes["models"].get("persistentVolumeClaim")
        assert own is None or own["claimName"] in claims


@each_case
def test_the_loader_reads_what_it_is_told(name: str) -> None:
    planned = read(name)
    for group, document in zip(planned.groups, of_kind(name, "ConfigMap"), strict=True):
        file = ModelsFile.model_validate_json(document["data"][MODELS_KEY])
        assert tuple(sorted(order.name for order in file.models)) == group.models
        assert {order.name for order in file.models if order.loaded} == {*group.loaded}


@each_case
def test_what_is_made_is_owned_by_the_provider_and_carries_its_labels(name: str) -> None:
    planned = read(name)
    for document in planned.objects:
        meta = document["metadata"]
        assert meta["namespace"] == planned.provider.metadata.namespace
        (owner,) = meta["ownerReferences"]
        assert owner["uid"] == planned.provider.metadata.uid
        assert "blockOwnerDeletion" not in owner  # OpenShift wants further rights for it
        assert meta["labels"]["penstock.dev/provider"] == planned.provider.metadata.name


@each_case
def test_workloads_come_after_what_they_need(name: str) -> None:
    kinds = [each["kind"] for each in read(name).objects]
    first = kinds.index("Deployment") if "Deployment" in kinds else len(kinds)
    assert set(kinds[first:]) <= {"Deployment"}
