"""AT10: a price that nobody knows is never a silent 0, and a new price changes nothing of old."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from penstock_cli.stub.behaviour import Ok, Tokens
from penstock_config.provider import Price
from penstock_operator.compile.compiler import compile_snapshot
from penstock_operator.compile.gather import snapshot_of
from penstock_sidecar.metering.estimate import PriceUnknown, price_of
from tests.acceptance.registry import PROVIDERS, ProviderKind
from tests.planes.plane import PRICE, Plane, chat, model, running_plane

FREE = Price(input_token=0, output_token=0)
KNOWN = {"name": "known", "price": {"inputPerMillion": "2", "outputPerMillion": "8"}}
HIGHEST = Price(input_token=2_000_000, output_token=8_000_000)

each_kind = pytest.mark.parametrize("kind", PROVIDERS, ids=lambda kind: kind.type)


def compiled(kind: ProviderKind, rule: str | None, *models: dict[str, Any]) -> Any:
    """What sidecars get of a provider, and the reasons of its warnings."""
    spec = {"type": kind.type, "baseURL": "https://models.example.com", "models": list(models)}
    spec |= {"onUnknownPrice": rule} if rule else {}
    documents = [
        _object("LLMProvider", "cloud", spec),
        _object(
            "ModelTier",
            "fast",
            {"models": [{"provider": {"name": "cloud"}, "model": each["name"]} for each in models]},
        ),
        _object("RoutePolicy", "main", {"defaultTier": {"name": "fast"}}),
    ]
    snapshot = snapshot_of(
        documents, cluster="test", loopback_allowed=True, redis=None, scope_keys={}
    )
    found = compile_snapshot(snapshot)
    return found.configs["team"].providers[0], {p.reason for p in found.problems}


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "team"}
    return {"apiVersion": "penstock.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


@each_kind
@pytest.mark.parametrize("rule", [None, "Deny", "UseHighest"])
def test_a_model_without_a_price_is_said_and_cannot_be_held(
    kind: ProviderKind, rule: str | None
) -> None:
    """One's own Ollama is the exception that is written down: it costs nothing."""
    provider, reasons = compiled(kind, rule, {"name": "m"})
    if kind.type == "ollama":
        assert price_of(provider, provider.models[0]) == FREE
        return
    assert "PriceUnknown" in reasons
    with pytest.raises(PriceUnknown):
        price_of(provider, provider.models[0])


def test_what_is_free_was_said_to_be() -> None:
    provider, reasons = compiled(PROVIDERS[0], "Free", {"name": "m"})
    assert price_of(provider, provider.models[0]) == FREE
    assert "PriceUnknown" not in reasons


def test_the_highest_price_stands_for_one_that_nobody_knows() -> None:
    provider, reasons = compiled(PROVIDERS[0], "UseHighest", {"name": "m"}, KNOWN)
    assert price_of(provider, provider.models[0]) == HIGHEST
    assert "PriceUnknown" not in reasons


async def test_a_request_in_flight_keeps_the_price_it_began_with(
    tmp_path: Path, redis_url: str
) -> None:
    """1,000 tokens of each: 750 micro-dollars of old, ten times as many from now on."""
    async with running_plane(tmp_path, redis_url) as plane:
        released, used = asyncio.Event(), Tokens(1_000, 1_000)
        plane.main.queue(Ok(usage=used, first=released), Ok(usage=used))
        old = asyncio.create_task(plane.ask(chat()))
        await plane.main.request(1)
        await plane.publish(_dearer(plane))
        new = await plane.ask(chat())
        released.set()
        assert (await old).headers["x-penstock-cost-usd"] == "0.000750"
        assert new.headers["x-penstock-cost-usd"] == "0.007500"


def _dearer(plane: Plane) -> Any:
    config = plane.config()
    price = Price(input_token=PRICE.input_token * 10, output_token=PRICE.output_token * 10)
    small = model("small").model_copy(update={"price": price})
    main = config.providers[0].model_copy(update={"models": (small,)})
    return config.model_copy(update={"providers": (main, *config.providers[1:])})
