"""Everything that runs a managed provider, as documents for server-side apply."""

from collections.abc import Iterator, Mapping, Sequence

from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.ollama.names import MODELS_KEY
from penstock_operator.ollama.planner.types import Group, Need
from penstock_operator.ollama.workload import names
from penstock_operator.ollama.workload.access import disruption_budget, network_policy, service
from penstock_operator.ollama.workload.deployment import deployment
from penstock_operator.ollama.workload.installation import Document, Found, Installation
from penstock_operator.ollama.workload.models import models_file
from penstock_operator.ollama.workload.volume import volume_claim

NOTHING_FOUND = Found()


def objects_of(
    provider: LLMProvider,
    groups: Sequence[Group],
    needs: Mapping[str, Need],
    installation: Installation,
    found: Found = NOTHING_FOUND,
) -> tuple[Document, ...]:
    """In the order in which they are to be applied: Deployments last.

    `groups`: the provider's, as planned; none while it is scaled to zero. `needs`: by model; of a
    group with one that is not there nothing is said, so that it stays as it is.
    """
    return tuple(_objects(provider, groups, needs, installation, found))


def _objects(
    provider: LLMProvider,
    groups: Sequence[Group],
    needs: Mapping[str, Need],
    installation: Installation,
    found: Found,
) -> Iterator[Document]:
    yield service(provider)
    if installation.network_policies:
        yield network_policy(provider, installation.namespace)
    if sum(group.replicas for group in groups) > 1:
        yield disruption_budget(provider, old=installation.old_budgets)
    storage = provider.spec.ollama.storage if provider.spec.ollama else None
    described = [group for group in groups if needs.keys() >= {*group.models}]
    for group in described:
        yield _models_map(provider, group, needs)
        if storage is not None:
            there = found.claims.get(names.claim(group.name))
            yield volume_claim(provider, storage, group.name, there)
    for group in described:
        yield deployment(provider, group, needs, installation, found)


def _models_map(provider: LLMProvider, group: Group, needs: Mapping[str, Need]) -> Document:
    """Its change restarts nothing: the loader reads it again."""
    text = models_file(provider, group, needs).model_dump_json(by_alias=True, exclude_none=True)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": names.metadata(provider, names.models_map(group.name), group.name),
        "data": {MODELS_KEY: text},
    }
