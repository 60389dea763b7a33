"""An API server as the tests of the CRDs speak to it: raw answers, refusals included."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from kubernetes.aio import client as kube
from kubernetes.aio import config as kube_config

from penstock_operator.api import GROUP, VERSION
from penstock_operator.api.base import Kind
from penstock_operator.crd import manifest
from tests.cluster.cel_cases import Case

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
        data = await answer.response.read()
        if answer.response.content_type != "application/json":  # a path that nobody serves (yet)
            return answer.status, {"message": data.decode()}
        return answer.status, json.loads(data)

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


def definition(kind: type[Kind], group: str) -> dict[str, Any]:
    """The CRD of a kind under another group."""
    document: dict[str, Any] = json.loads(json.dumps(manifest(kind)).replace(GROUP, group))
    return document
