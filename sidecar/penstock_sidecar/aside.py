"""Asks a cheap model of the policy's own, beside the requests of callers.

It takes limits and budget as its caller's requests do, at low priority, and telemetry hears of it.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from penstock_config.policy import Policy
from penstock_config.schema import SidecarConfig
from penstock_sidecar.clock import Clock
from penstock_sidecar.errors import Denied, SidecarError, UpstreamError
from penstock_sidecar.limits.limiter import Attempt, Limiter
from penstock_sidecar.limits.priority import HEADER as PRIORITY
from penstock_sidecar.metering.estimate import PriceUnknown, price_of
from penstock_sidecar.model import Caller, Candidate, Recorder, Request
from penstock_sidecar.normalise.openai import parse_chat
from penstock_sidecar.progress import Progress
from penstock_sidecar.routing.catalogue import Catalogue
from penstock_sidecar.routing.personal_data import HEADER as PERSONAL_DATA
from penstock_sidecar.routing.personal_data import permitted
from penstock_sidecar.routing.router import Router
from penstock_sidecar.sessions.heard import Heard
from penstock_sidecar.upstream.base import Call, Upstream

RULE: Final = "aside"
MOST_TRIED: Final = 2
ID_BYTES: Final = 16
USUAL_INPUT_TOKENS: Final = 4
"""For each token of an answer: what makes one candidate cheaper than another."""
MOST_CHARACTERS: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class CheapModel:
    """Of one policy. `candidates` are those that may be asked, the cheapest first."""

    candidates: tuple[Candidate, ...]
    policy: Policy
    upstreams: Mapping[str, Upstream]
    limiter: Limiter
    router: Router
    recorder: Recorder
    clock: Clock

    async def answer(
        self, caller: Caller, headers: Mapping[str, str], asked: tuple[str, str], most_tokens: int
    ) -> str:
        """What it says to these instructions and this text; empty where nobody can be asked.
        `headers` are those of the request on whose behalf. Raises `SidecarError`."""
        request = _request(asked, most_tokens, headers)
        candidates = [c for c in self._permitted(request) if not self.router.out(c, request.api)]
        candidates = candidates[:MOST_TRIED]
        for candidate in candidates[:-1]:
            try:
                return await self._asked(candidate, request, caller)
            except SidecarError:
                continue  # recorded; the next one is asked
        return await self._asked(candidates[-1], request, caller) if candidates else ""

    def _permitted(self, request: Request) -> Sequence[Candidate]:
        try:
            return permitted(self.candidates, request, self.policy.personal_data).kept
        except Denied:
            return ()

    async def _asked(self, candidate: Candidate, request: Request, caller: Caller) -> str:
        started = self.clock.monotonic()
        progress = Progress(request, self.policy.id, self.clock, started, rule=RULE)
        error: BaseException | None = None
        try:
            return await self._called(candidate, request, caller, progress)
        except BaseException as caught:
            error = caught
            raise
        finally:
            self.recorder.request_ended(progress.outcome(error))

    async def _called(
        self, candidate: Candidate, request: Request, caller: Caller, progress: Progress
    ) -> str:
        heard = Heard(request.api, stream=False, max_characters=MOST_CHARACTERS)
        ticket = self.limiter.ticket(caller, request)
        attempt = ticket.attempt(candidate)
        try:
            async with ticket, attempt:
                progress.candidate = candidate
                call = Call(request, candidate, attempt.max_output_tokens)
                await self._hear(call, attempt, heard)
        finally:
            progress.cost_micro_usd = attempt.cost_micro_usd
            progress.usage = attempt.usage
        return heard.said or ""

    async def _hear(self, call: Call, attempt: Attempt, heard: Heard) -> None:
        """All of the answer; the candidate's breaker learns how that went."""
        candidate, api, began = call.candidate, call.request.api, self.clock.monotonic()
        attempt.sent()
        try:
            async with self.upstreams[candidate.provider.id].call(call) as answer:
                async for chunk in answer.chunks:
                    attempt.saw(chunk)
                    heard.add(chunk.data)
        except UpstreamError as error:
            self.router.failed(candidate, error, api)
            raise
        self.router.succeeded(candidate, api, began)


def cheapest(config: SidecarConfig, policy: Policy) -> tuple[Candidate, ...]:
    """The policy's models that can chat and whose price is known, the cheapest first."""
    catalogue = Catalogue(config, policy)
    found = {
        candidate.label: candidate
        for tier_id in policy.tiers
        for candidate in catalogue.of_tier(tier_id)
        if "chat" in candidate.model.capabilities
    }
    priced = [(_price(candidate), label) for label, candidate in found.items()]
    known = sorted((price, label) for price, label in priced if price is not None)
    return tuple(found[label] for _, label in known)


def _price(candidate: Candidate) -> int | None:
    try:
        price = price_of(candidate.provider, candidate.model)
    except PriceUnknown:
        return None
    return USUAL_INPUT_TOKENS * price.input_token + price.output_token


def _request(asked: tuple[str, str], most_tokens: int, headers: Mapping[str, str]) -> Request:
    instructions, text = asked
    body = orjson.dumps(
        {
            "model": RULE,
            "messages": [
                {"role": "system", "content": instructions},
                {"role": "user", "content": text},
            ],
            "max_tokens": most_tokens,
        }
    )
    told = {PERSONAL_DATA: headers.get(PERSONAL_DATA, ""), PRIORITY: "low"}
    return parse_chat(body, told, secrets.token_hex(ID_BYTES))
