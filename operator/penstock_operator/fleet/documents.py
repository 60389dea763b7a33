"""The documents that run a provider's groups, with what is read back of them later."""

from collections.abc import Sequence

from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.fleet.deciding import Decided
from penstock_operator.fleet.observed import PLACEMENT_ANNOTATION, placement_text
from penstock_operator.ollama.fleet import affinity_of
from penstock_operator.ollama.planner.types import Group
from penstock_operator.ollama.workload.access import disruption_budget, network_policy
from penstock_operator.ollama.workload.installation import Document, Found, Installation
from penstock_operator.ollama.workload.objects import objects_of

DEPLOYMENT = "Deployment"


def documents_of(
    provider: LLMProvider, decided: Decided, installation: Installation, found: Found
) -> tuple[Document, ...]:
    """In the order in which they are to be applied."""
    groups = {group.name: group for group in decided.groups}
    documents = objects_of(provider, decided.groups, decided.needs, installation, found)
    return tuple(_completed(each, groups, decided) for each in documents)


def unwanted(
    provider: LLMProvider, documents: Sequence[Document], installation: Installation
) -> list[Document]:
    """What is there of a provider at some times only, and is not to be there now."""
    there = {each["kind"] for each in documents}
    of_times = (
        disruption_budget(provider, old=installation.old_budgets),
        network_policy(provider, installation.namespace),
    )
    return [each for each in of_times if each["kind"] not in there]


def _completed(document: Document, groups: dict[str, Group], decided: Decided) -> Document:
    name = document["metadata"]["name"]
    if document["kind"] != DEPLOYMENT or name not in groups:
        return document
    annotations = {PLACEMENT_ANNOTATION: placement_text(groups[name])}
    found = {**document, "metadata": {**document["metadata"], "annotations": annotations}}
    if (pending := decided.pending.get(name)) is None:
        return found
    template = found["spec"]["template"]
    pod = {**template["spec"], "affinity": affinity_of(pending)}
    spec = {**found["spec"], "template": {**template, "spec": pod}}
    return {**found, "spec": spec}
