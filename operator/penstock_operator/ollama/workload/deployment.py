"""The Deployment of a placement group."""

from collections.abc import Mapping

from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.ollama.names import OLLAMA_CONTAINER
from penstock_operator.ollama.planner.types import Group, Need
from penstock_operator.ollama.workload import names, probes
from penstock_operator.ollama.workload.comparison import differs
from penstock_operator.ollama.workload.installation import Document, Found, Installation
from penstock_operator.ollama.workload.pod import pod_spec


def deployment(
    provider: LLMProvider,
    group: Group,
    needs: Mapping[str, Need],
    installation: Installation,
    found: Found,
) -> Document:
    """With the loader's image of the one that is there, where nothing else would change."""
    meta = provider.metadata
    own = dict(names.selector(meta.name, group.name))
    wanted: Document = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": names.metadata(provider, group.name, group.name),
        "spec": {
            "replicas": group.replicas,
            "revisionHistoryLimit": 2,
            "progressDeadlineSeconds": probes.START_SECONDS + 600,
            "selector": {"matchLabels": own},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": _rolling(group, found)},
            "template": {
                "metadata": {
                    "labels": dict(names.pod_labels(meta.name, group.name)),
                    "annotations": {"kubectl.kubernetes.io/default-container": OLLAMA_CONTAINER},
                },
                "spec": pod_spec(provider, group, needs, installation, found),
            },
        },
    }
    return _with_old_loader(wanted, found.deployments.get(group.name))


def _rolling(group: Group, found: Found) -> Document:
    """A new pod first, where the node has a GPU for it. With several replicas one may end to make
    room, and others serve; the only one may not, unless another group serves its models."""
    makes_room = group.replicas > 1 or group.name in found.pausable
    return {"maxSurge": 1, "maxUnavailable": 1 if makes_room else 0}


def _with_old_loader(wanted: Document, there: Document | None) -> Document:
    old = _loader_image(there) if there else None
    if there is None or old is None:
        return wanted
    spec = wanted["spec"]["template"]["spec"]
    ollama, loader = spec["containers"]
    containers = {"containers": [ollama, {**loader, "image": old}]}
    template = {**wanted["spec"]["template"], "spec": {**spec, **containers}}
    kept = {**wanted, "spec": {**wanted["spec"], "template": template}}
    same = not differs(there.get("spec", {}).get("template"), template)
    return kept if same else wanted


def _loader_image(document: Document) -> str | None:
    try:
        _, loader = document["spec"]["template"]["spec"]["containers"]
        image = loader["image"]
    except (KeyError, TypeError, ValueError):  # somebody else's
        return None
    return image if isinstance(image, str) else None
