"""Every rule of the CRDs accepts and refuses what it should, in a real API server.

The CRDs are installed under a group of their own, so that neither an older schema that is still
being served nor anybody else's objects play a part.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest
import pytest_asyncio

from penstock_operator.api import GROUP
from penstock_operator.api.base import Kind
from penstock_operator.crd import KINDS
from tests.cluster.cel_cases import Case, Site, cases, set_paths, sites, without_indices
from tests.cluster.cel_server import CRDS, Server, connected, definition


async def _install(kubeconfig: Path, group: str) -> None:
    async with asyncio.timeout(60), connected(kubeconfig, group) as server:
        for kind in KINDS:
            status, answer = await server.call("POST", CRDS, definition(kind, group))
            assert status == HTTPStatus.CREATED, answer
        for kind in KINDS:  # served a moment after it is there
            while (await server.call("GET", server.path(kind.plural)))[0] != HTTPStatus.OK:
                pass


async def _remove(kubeconfig: Path, group: str) -> None:
    async with asyncio.timeout(60), connected(kubeconfig, group) as server:
        for kind in KINDS:
            await server.call("DELETE", f"{CRDS}/{kind.plural}.{group}")


@pytest.fixture(scope="session")
def group(crds_kubeconfig: Path) -> Iterator[str]:
    name = f"t{uuid.uuid4().hex[:8]}.{GROUP}"
    try:
        asyncio.run(_install(crds_kubeconfig, name))
        yield name
    finally:
        asyncio.run(_remove(crds_kubeconfig, name))


@pytest_asyncio.fixture
async def server(crds_kubeconfig: Path, group: str) -> AsyncIterator[Server]:
    async with connected(crds_kubeconfig, group) as found:
        yield found


@pytest.mark.crds
@pytest.mark.parametrize("case", cases(), ids=str)
async def test_the_server_accepts_and_refuses(server: Server, case: Case) -> None:
    status, answer = await (server.create(case) if case.updated is None else server.update(case))
    if case.refused is None:
        assert status in {HTTPStatus.OK, HTTPStatus.CREATED}, answer
        return
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY, answer
    causes = answer["details"]["causes"]
    assert any(_fits(case, cause["field"], cause["message"]) for cause in causes), causes


def _fits(case: Case, field: str, message: str) -> bool:
    if case.message:
        return field == case.path and message.endswith(case.message)
    return field.startswith(case.path)


@pytest.mark.crds
async def test_an_unknown_field_is_refused(server: Server) -> None:
    case = next(case for case in cases() if case.kind.kind == "Budget" and not case.refused)
    status, answer = await server.create(replace(case, spec={**case.spec, "limit": "10"}))
    assert status == HTTPStatus.BAD_REQUEST
    assert 'unknown field "spec.limit"' in answer["message"]


@pytest.mark.parametrize("site", sites(), ids=str)
def test_every_rule_has_a_case_that_breaks_it(site: Site) -> None:
    assert any(
        (case.kind.plural, without_indices(case.path)) == (site.plural, site.path)
        and case.message == site.message
        and (case.updated is not None) == site.is_transition
        for case in cases()
    )


@pytest.mark.parametrize("site", sites(), ids=str)
def test_every_rule_has_a_case_that_keeps_it(site: Site) -> None:
    assert any(
        case.kind.plural == site.plural
        and case.refused is None
        and (case.updated is not None or not site.is_transition)
        and site.path in set_paths(case.spec, "spec")
        for case in cases()
    )


@pytest.mark.cluster
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
async def test_an_older_server_takes_the_definition(kubeconfig: Path, kind: type[Kind]) -> None:
    """One that knows no CEL drops the rules; the operator refuses what they would have."""
    query = {"dryRun": "All"}
    async with connected(kubeconfig, f"old.{GROUP}") as server:
        status, answer = await server.call("POST", CRDS, definition(kind, server.group), query)
    assert status == HTTPStatus.CREATED, answer
    conditions = answer.get("status", {}).get("conditions") or ()
    assert "NonStructuralSchema" not in {condition["type"] for condition in conditions}
