"""Every rule of the CRDs accepts and refuses what it should, in a real API server.

The CRDs are installed under a group of their own, so that neither an older schema that is still
being served nor anybody else's objects play a part.
"""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from kubernetes.aio import client as kube
from kubernetes.aio import config as kube_config

from penstock_operator.api import GROUP, VERSION
from penstock_operator.crd import KINDS, manifest
from tests.cluster.cel_cases import Case, Site, cases, set_paths, sites, without_indices

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
DRY_RUN = {"dryRun": "All", "fieldValidation": "Strict"}
Answer = tuple[int, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Server:
    """An API server that serves our kinds under `group`."""

    api: kube.ApiClient
    group: str

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Answer:
        request = await self.api.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params={"Accept": "application/json", "Content-Type": "application/json"},
            body=body,
            auth_settings=["BearerToken"],
        )
        answer = await self.api.call_api(*request[:4])
        return answer.status, json.loads(await answer.response.read())

    def path(self, plural: str) -> str:
        return f"/apis/{self.group}/{VERSION}/namespaces/default/{plural}"

    def document(self, case: Case, spec: Mapping[str, Any]) -> dict[str, Any]:
        return case.document(spec) | {"apiVersion": f"{self.group}/{VERSION}"}

    async def create(self, case: Case) -> Answer:
        document = self.document(case, case.spec)
        return await self.call("POST", self.path(case.kind.plural), document, DRY_RUN)

    async def update(self, case: Case) -> Answer:
        """Make it, see what a change would answer, and remove it."""
        assert case.updated is not None
        path = self.path(case.kind.plural)
        status, made = await self.call("POST", path, self.document(case, case.spec))
        assert status == HTTPStatus.CREATED, made
        try:
            return await self.call("PUT", f"{path}/case", made | {"spec": case.updated}, DRY_RUN)
        finally:
            await self.call("DELETE", f"{path}/case")


@asynccontextmanager
async def connected(kubeconfig: Path, group: str) -> AsyncIterator[Server]:
    configuration = kube.Configuration()
    await kube_config.load_kube_config(  # type: ignore[no-untyped-call]
        str(kubeconfig), client_configuration=configuration, persist_config=False
    )
    async with kube.ApiClient(configuration) as api:
        yield Server(api, group)


async def _install(kubeconfig: Path, group: str) -> None:
    async with asyncio.timeout(60), connected(kubeconfig, group) as server:
        for kind in KINDS:
            document = json.loads(json.dumps(manifest(kind)).replace(GROUP, group))
            status, answer = await server.call("POST", CRDS, document)
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
