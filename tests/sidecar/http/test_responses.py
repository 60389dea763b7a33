"""What is kept of responses is asked for by whom the headers name."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from penstock_sidecar.http.responses import PATH, KeptResponses
from penstock_sidecar.model import JsonObject, Request


@dataclass
class FakeKeeper:
    asked: list[Request] = field(default_factory=list)

    async def kept_response(self, request: Request, response_id: str) -> JsonObject:
        self.asked.append(request)
        return {"id": response_id}

    async def forget_response(self, request: Request, _: str) -> None:
        self.asked.append(request)


async def test_a_header_that_comes_twice_is_one_list_as_it_was_when_the_response_was_made() -> None:
    keeper = FakeKeeper()

    @contextlib.asynccontextmanager
    async def keepers() -> AsyncIterator[FakeKeeper]:
        yield keeper

    kept = KeptResponses(keepers)
    headers = CIMultiDict([("X-User", "ada"), ("x-user", "eve")])
    request = make_mocked_request("GET", f"{PATH}resp_1", headers=headers)
    for handler in (kept.get, kept.delete):
        assert (await handler(request, "call-1")).status == 200
    assert [asked.headers["x-user"] for asked in keeper.asked] == ["ada, eve", "ada, eve"]
