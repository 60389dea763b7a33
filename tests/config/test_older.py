"""What sidecars of version 1 are told: the same, and where that cannot be said, nothing served."""

import json
from typing import Any

import pytest
from pydantic import SecretStr

from penstock_config.codec import ConfigError, digest, encode
from penstock_config.credentials import Credentials
from penstock_config.older import (
    CREDENTIALS_READERS,
    READERS,
    Inexpressible,
    Unjudgeable,
    Unreachable,
    as_version_1,
    credentials_as_version_1,
    decode_credentials_version_1,
    decode_version_1,
)
from penstock_config.policy import (
    HeaderMatch,
    Images,
    Match,
    Memory,
    Modality,
    Overrides,
    Policy,
    Retry,
    Rule,
    Target,
)
from penstock_config.provider import Managed, Model, Provider
from penstock_config.schema import SidecarConfig
from penstock_config.tier import (
    Candidate,
    Ensemble,
    EnsembleSize,
    Floor,
    Hedge,
    Tier,
    TierTimeout,
)

TIER = Target(tier="n/t")
REST = Match(models=("gpt-*",), users=("ann",), max_input_tokens=9)


def config(*rules: Rule) -> SidecarConfig:
    policy = Policy(id="n/p", rules=rules, default=TIER, tiers=("n/t",))
    tier = Tier(id="n/t", name="t", candidates=())
    return SidecarConfig(cluster="c", namespace="n", tiers=(tier,), policies=(policy,))


def rule(name: str, *modalities: Modality, match: Match = REST) -> Rule:
    return Rule(name=name, match=match.model_copy(update={"modalities": modalities}), target=TIER)


def test_what_both_can_say_is_the_same_but_for_the_number() -> None:
    older = as_version_1(config(rule("a"), rule("b")))
    assert older.inexpressible == ()
    now = json.loads(encode(config(rule("a"), rule("b"))))
    assert json.loads(older.data) == {**now, "schema_version": 1}


def test_a_rule_that_cannot_be_said_denies_what_the_rest_of_it_matches() -> None:
    older = as_version_1(config(rule("before"), rule("pictures", "image"), rule("after")))
    assert older.inexpressible == (Inexpressible("n/p", "pictures", "match.modalities"),)
    before, pictures, after = decode_version_1(older.data).policies[0].rules
    assert (before, after) == (rule("before"), rule("after"))
    assert (pictures.name, pictures.match) == ("pictures", REST)
    assert pictures.target == Target(
        denied="RoutePolicy n/p, rule pictures: this pod's sidecar is too old for match.modalities:"
        " restart the pod for a newer one"
    )


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"match": REST.model_copy(update={"tasks": ("coding",)})}, ["match.tasks"]),
        ({"match": REST.model_copy(update={"complexity": ("expert",)})}, ["match.complexity"]),
        ({"overrides": Overrides(max_output_tokens=5)}, ["overrides.maxOutputTokens"]),
        ({"overrides": Overrides(cache_bypassed=True)}, ["overrides.cache"]),
        (
            {
                "match": REST.model_copy(update={"tasks": ("chat",), "modalities": ("text",)}),
                "overrides": Overrides(timeout_seconds=5, cache_bypassed=True),
            },
            ["match.modalities", "match.tasks", "overrides.cache"],
        ),
    ],
)
def test_a_rule_that_asks_or_closes_more_than_version_1_knows_denies(
    fields: dict[str, Any], names: list[str]
) -> None:
    older = as_version_1(config(Rule(**{"name": "a", "match": REST, "target": TIER, **fields})))
    assert older.inexpressible == tuple(Inexpressible("n/p", "a", name) for name in names)
    (told,) = decode_version_1(older.data).policies[0].rules
    said = f"too old for {' and '.join(names)}: "
    assert (told.match, told.target.tier, told.overrides) == (REST, None, Overrides())
    assert said in (told.target.denied or "")


def test_a_rule_that_only_serves_comfort_goes_without() -> None:
    comfort = Overrides(timeout_seconds=9, retry=Retry(attempts=1))
    older = as_version_1(config(rule("a").model_copy(update={"overrides": comfort})))
    assert older == as_version_1(config(rule("a")))
    assert older.inexpressible == ()


def test_memory_and_smaller_images_are_left_out() -> None:
    told = config(rule("a"))
    (plain,) = told.policies
    more = plain.model_copy(update={"memory": Memory(), "images": Images(max_side_pixels=9)})
    assert as_version_1(told.model_copy(update={"policies": (more,)})) == as_version_1(told)


def test_a_policy_without_such_a_rule_is_as_it_was() -> None:
    told = config(rule("pictures", "image"))
    other = Policy(id="n/other", rules=(rule("a"),), default=TIER, tiers=("n/t",))
    both = told.model_copy(update={"policies": (*told.policies, other)})
    assert decode_version_1(as_version_1(both).data).policies[1] == other


def test_equal_configurations_give_equal_bytes() -> None:
    match = Match(headers=(HeaderMatch(name="x", value="y"),))
    made = [as_version_1(config(rule("a", "audio", match=match))) for _ in range(2)]
    assert made[0] == made[1]
    assert digest(made[0].data) != digest(encode(config(rule("a", "audio", match=match))))


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(encode(config(rule("a", "image")))), **changes}).encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (changed(schema_version=1), "match.modalities: is not in version 1"),
        (changed(), "schema_version is 2, this sidecar reads 1"),
        (changed(schema_version=1, policies=[], colour="red"), "Extra inputs"),
        (changed(schema_version=1, policies=[], tiers=[{}]), "tiers.0.id: Field required"),
    ],
)
def test_version_1_is_closed_too(data: bytes, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        decode_version_1(data)


def test_the_present_version_is_read_before_the_older_one() -> None:
    assert list(READERS) == ["config.v2.json", "config.v1.json"]
    told = config(rule("a"))
    files = (encode(told), as_version_1(told).data)
    assert [read(data) for read, data in zip(READERS.values(), files, strict=True)] == [told] * 2


def provider(name: str, **fields: Any) -> Provider:
    told = {"type": "openai", "base_url": "https://p.example.com", "needs_key": True, **fields}
    return Provider(id=f"n/{name}", models=(MODEL,), **told)


def reaching(*providers: Provider) -> SidecarConfig:
    candidates = tuple(Candidate(provider=each.id, model="m") for each in providers)
    tier = Tier(id="n/t", name="t", candidates=candidates)
    return config(rule("a")).model_copy(update={"providers": providers, "tiers": (tier,)})


MODEL = Model(name="m", upstream_name="m", capabilities=("chat",))
PLAIN = provider("plain")
BEYOND = [
    ({"proxy_url": "http://proxy:3128"}, "proxy_url"),
    ({"private_ca": True}, "private_ca"),
    ({"type": "azure-openai", "api_version": "preview"}, "type"),
    ({"type": "anthropic"}, "type"),
    ({"type": "gemini"}, "type"),
]


@pytest.mark.parametrize(("fields", "why"), BEYOND)
def test_a_provider_that_version_1_would_reach_otherwise_is_no_candidate(
    fields: dict[str, Any], why: str
) -> None:
    older = as_version_1(reaching(provider("far", **fields), PLAIN))
    assert older.unreachable == (Unreachable("n/far", why),)
    told = decode_version_1(older.data)
    assert told.providers == (PLAIN,)
    (tier,) = told.tiers
    assert ([c.provider for c in tier.candidates], tier.denied) == (["n/plain"], None)


def test_a_tier_without_another_candidate_denies() -> None:
    told = decode_version_1(as_version_1(reaching(provider("far", private_ca=True))).data)
    assert (told.providers, told.tiers[0].candidates) == ((), ())
    assert told.tiers[0].denied == (
        "this pod's sidecar is too old to reach LLMProvider n/far: restart the pod for a newer one"
    )


def test_what_only_informs_is_left_out() -> None:
    older = as_version_1(reaching(provider("plain", preset="vllm")))
    assert (decode_version_1(older.data), older.unreachable) == (reaching(PLAIN), ())


CHOOSING: dict[str, Any] = {
    "strategy": "LeastCost",
    "floors": (Floor(complexity="simple", min_quality=70, max_cost=9),),
    "timeouts": (TierTimeout(complexity="simple", seconds=9),),
    "hedge": Hedge(after_ms=9),
    "ensemble": Ensemble(sizes=(EnsembleSize(complexity="simple", min=2, max=3),), quorum=2),
}
"""What chooses among candidates that all may serve."""
AGREEING = CHOOSING["ensemble"].model_copy(update={"min_agreement_percent": 50})


def choosing(config: SidecarConfig, **changes: Any) -> SidecarConfig:
    (tier,) = config.tiers
    return config.model_copy(update={"tiers": (tier.model_copy(update=changes),)})


def test_how_to_choose_is_left_out_and_the_weights_decide() -> None:
    said = {"quality": 80, "expected_latency_ms": 9, "vram_bytes": 1}
    rated = MODEL.model_copy(update=said)
    better = PLAIN.model_copy(update={"models": (rated,), "gpu_memory_bytes": 2})
    older = as_version_1(choosing(reaching(better), **CHOOSING))
    assert older == as_version_1(reaching(PLAIN))
    assert decode_version_1(older.data) == reaching(PLAIN)


def test_how_a_managed_provider_runs_is_left_out_and_its_service_serves() -> None:
    loaded = MODEL.model_copy(update={"parallel": 4, "load_seconds": 7.5})
    run = PLAIN.model_copy(update={"models": (loaded,), "managed": Managed(may_be_cold=True)})
    older = as_version_1(reaching(run))
    assert older == as_version_1(reaching(PLAIN))
    assert decode_version_1(older.data) == reaching(PLAIN)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"on_no_fit": "Reject"}, ["onNoFit"]),
        ({"ensemble": AGREEING}, ["ensemble.minAgreement"]),
        ({"on_no_fit": "Reject", "ensemble": AGREEING}, ["onNoFit", "ensemble.minAgreement"]),
    ],
)
def test_a_tier_that_refuses_what_version_1_would_serve_denies_there(
    changes: dict[str, Any], names: list[str]
) -> None:
    further = Tier(id="n/further", name="further", candidates=())
    told = choosing(reaching(PLAIN), **(CHOOSING | changes), fallback_tiers=("n/further",))
    older = as_version_1(told.model_copy(update={"tiers": (*told.tiers, further)}))
    assert older.unjudgeable == tuple(Unjudgeable("n/t", name) for name in names)
    tier, _ = decode_version_1(older.data).tiers
    assert (tier.candidates, tier.fallback_tiers) == ((), ())
    assert tier.denied == (
        f"ModelTier n/t: this pod's sidecar is too old for {' and '.join(names)}: restart the pod"
        " for a newer one"
    )


def test_a_refusal_without_a_ground_refuses_nobody() -> None:
    agreeing_to_all = CHOOSING["ensemble"].model_copy(update={"min_agreement_percent": 0})
    told = choosing(reaching(PLAIN), on_no_fit="Reject", ensemble=agreeing_to_all)
    assert as_version_1(told) == as_version_1(reaching(PLAIN))


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        (choosing(reaching(PLAIN), strategy="Adaptive"), r"tiers\.\*\.strategy"),
        (choosing(reaching(PLAIN), hedge=Hedge(after_ms=9)), r"tiers\.\*\.hedge"),
        (choosing(reaching(PLAIN), on_no_fit="Reject"), r"tiers\.\*\.on_no_fit"),
        (
            config(rule("a").model_copy(update={"overrides": Overrides(timeout_seconds=9)})),
            r"policies\.\*\.rules\.\*\.overrides",
        ),
        (
            config(rule("a", match=Match(tasks=("chat",)))),
            r"policies\.\*\.rules\.\*\.match\.tasks",
        ),
        (
            reaching(
                PLAIN.model_copy(update={"models": (MODEL.model_copy(update={"quality": 9}),)})
            ),
            r"providers\.\*\.models\.\*\.quality",
        ),
    ],
)
def test_a_file_of_version_1_says_no_more_than_it_can(changed: SidecarConfig, path: str) -> None:
    with pytest.raises(ConfigError, match=f"{path}: is not in version 1"):
        decode_version_1(encode(changed, 1))


@pytest.mark.parametrize("name", ["preset", "api_version", "proxy_url"])
def test_a_provider_of_version_1_says_no_more_than_it_can(name: str) -> None:
    document = json.loads(encode(reaching(provider("far", **{name: "http://x"})), 1))
    with pytest.raises(ConfigError, match=rf"providers\.\*\.{name}: is not in version 1"):
        decode_version_1(json.dumps(document).encode())


SECRETS = Credentials(
    provider_keys={"n/plain": (SecretStr("sk"),)},
    client_secrets={"n/far": SecretStr("hush")},
    proxy_logins={"n/far": SecretStr("shop:hush")},
    authorities={"n/far": "PEM"},
    scope_key=SecretStr("scope"),
)


def test_credentials_of_version_1_hold_what_it_knows() -> None:
    data = credentials_as_version_1(SECRETS)
    assert b"hush" not in data
    added: dict[str, object] = {"client_secrets": {}, "proxy_logins": {}, "authorities": {}}
    known = SECRETS.model_copy(update=added)
    assert decode_credentials_version_1(data) == known
    assert list(CREDENTIALS_READERS) == ["credentials.v2.json", "credentials.v1.json"]


@pytest.mark.parametrize("field", ["client_secrets", "proxy_logins", "authorities"])
def test_credentials_of_version_1_say_no_more_than_they_can(field: str) -> None:
    document = json.dumps({"schema_version": 1, "scope_key": "s", field: {"n/far": "x"}})
    with pytest.raises(ConfigError, match=f"{field}: is not in version 1"):
        decode_credentials_version_1(document.encode())
