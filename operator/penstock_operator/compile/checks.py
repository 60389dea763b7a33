"""What one object says wrong of itself, where its type and the API server cannot tell.

Used alike by `compile`, the admission webhook and `penstock validate`. What a type's own rules say
is already refused by `parse`.
"""

from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from penstock_operator.api.address import is_local
from penstock_operator.api.budget import Budget
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.model_tier import ModelTier
from penstock_operator.api.preset import PRESETS, ProviderType
from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.api.route_rule import Match
from penstock_operator.compile.graphics import managed_warnings
from penstock_operator.compile.not_yet_enforced import not_yet_enforced
from penstock_operator.compile.offer import served_models
from penstock_operator.compile.parse import Resource, ref_of
from penstock_operator.compile.prices import unpriced
from penstock_operator.compile.problem import Problem
from penstock_operator.compile.reaching import auth_of, type_of, whole_address
from penstock_operator.compile.references import reference_id
from penstock_operator.compile.warming import warming_warnings

Fault = tuple[str, str]
"""(path, what to change)."""

RESERVED_NAME: Final = "auto"
"""What callers send as `model` for classification."""
NOT_A_PROVIDER: Final = (
    "leads to this machine, its link or a metadata service: give the provider's own address"
)
NO_ADDRESS: Final = "is no address: write https://host[:port]/path"
ALL: Final = 100
"""Percent."""
ASKED_FOR: Final = frozenset({"chat", "completions", "embeddings"})
"""Capabilities that are work of their own; the others go with chat."""
NO_CATALOGUE: Final = (
    "is not set, and the catalogue knows no models of preset {} at this address and plan: list them"
)
ENDPOINTS: Final = (
    "/completions",
    "/embeddings",
    "/responses",
    "/messages",
    "/api/chat",
    "/api/generate",
    "/api/embed",
)
A_CALL: Final = (
    "is the address of one call, to which the sidecar would append another: write what stands "
    "before /chat/completions, /v1/messages or /api/chat"
)
NO_KEY: Final = "is not set, and {} serves nobody without a key: name a Secret that has one"
TAKEN: Final = (
    "never decides, as spec.rules[{}] ({}) before it has no conditions and takes every request:"
    " move it up, or remove it"
)
NO_PATH: Final = "is a vendor's host without the path of its API: write {}"


def check_object(resource: Resource, *, loopback_allowed: bool = False) -> tuple[Problem, ...]:
    """Everything wrong with one object: errors (`InvalidSpec`) first, then warnings."""
    ref = ref_of(resource)
    faults: Iterable[Fault]
    warnings: Iterable[Problem] = ()
    match resource:
        case LLMProvider():
            faults = _provider_faults(resource, loopback_allowed=loopback_allowed)
            warnings = _provider_warnings(resource)
        case ModelTier():
            faults = _tier_faults(resource)
        case RoutePolicy():
            faults = _policy_faults(resource)
            warnings = _policy_warnings(resource)
        case Budget():
            faults = _budget_faults(resource)
            warnings = _budget_warnings(resource)
    errors = [Problem(ref, "Accepted", "InvalidSpec", text, path=path) for path, text in faults]
    return (*errors, *warnings, *not_yet_enforced(resource))


def first_error(problems: Iterable[Problem]) -> Problem | None:
    """The problem that takes the whole object out of effect, if there is one."""
    refusals = (p for p in problems if p.condition == "Accepted" and p.severity == "error")
    return next(refusals, None)


def is_time_zone(name: str) -> bool:
    """Whether this machine's copy of the IANA database knows the zone."""
    try:
        return name == "UTC" or bool(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a directory, such as `Europe`
        return False


def _provider_faults(provider: LLMProvider, *, loopback_allowed: bool) -> Iterator[Fault]:
    spec = provider.spec
    for path, url in (("spec.baseURL", spec.base_url), ("spec.proxyURL", spec.proxy_url)):
        if url is not None and (fault := _url_fault(url, loopback_allowed=loopback_allowed)):
            yield path, fault
        elif path == "spec.baseURL" and url is not None:
            yield from ((path, text) for text in _base_faults(url, type_of(spec)))
    if not served_models(spec):
        yield "spec.models", NO_CATALOGUE.format(spec.preset)
    auth = auth_of(spec.credentials, type_of(spec))
    sent = {auth.name.lower(): "the key's"} if auth.scheme == "Header" else {}
    for index, header in enumerate(spec.headers):
        if former := sent.get(header.name.lower()):
            yield f"spec.headers[{index}].name", f"is {former} header already: remove one"
        sent[header.name.lower()] = f"spec.headers[{index}]'s"


def _url_fault(url: str, *, loopback_allowed: bool) -> str | None:
    try:
        parts = urlsplit(url)
        if not parts.hostname or parts.port == 0:
            return NO_ADDRESS
        local = is_local(url)
    except ValueError:  # a port above 65535, or brackets around what is no IPv6 address
        return NO_ADDRESS
    return NOT_A_PROVIDER if local and not loopback_allowed else None


def _base_faults(url: str, type_: ProviderType) -> Iterator[str]:
    if url.rstrip("/").endswith(ENDPOINTS):
        yield A_CALL
    elif whole := whole_address(url, type_):
        yield NO_PATH.format(whole)


def _provider_warnings(provider: LLMProvider) -> Iterator[Problem]:
    ref = ref_of(provider)
    for index, model in enumerate(served_models(provider.spec) if provider.spec.models else ()):
        if not ASKED_FOR.intersection(model.capabilities):
            message = "holds nothing that callers ask for, so that the model is idle: add chat"
            path = f"spec.models[{index}].capabilities"
            yield Problem(ref, "Enforced", "NotYetEnforced", message, "warning", path)
    yield from _keyless(provider)
    yield from _undeployed(provider)
    yield from managed_warnings(provider)
    yield from unpriced(provider)


def _keyless(provider: LLMProvider) -> Iterator[Problem]:
    """At a vendor's own address; whatever else stands there may ask for none."""
    spec = provider.spec
    vendor = spec.preset if spec.preset and PRESETS[spec.preset].base_url else None
    if vendor and not (spec.credentials or spec.headers or spec.base_url or spec.proxy_url):
        yield Problem(
            ref_of(provider),
            "ResolvedRefs",
            "NoCredentials",
            NO_KEY.format(vendor),
            "warning",
            "spec.credentials",
        )


def _undeployed(provider: LLMProvider) -> Iterator[Problem]:
    names = {model.name for model in provider.spec.models}
    for index, each in enumerate(provider.spec.azure.deployments if provider.spec.azure else ()):
        if each.model not in names:
            message = "is no model of spec.models, so that it has no effect: correct it"
            path = f"spec.azure.deployments[{index}].model"
            yield Problem(
                ref_of(provider), "ResolvedRefs", "ModelNotFound", message, "warning", path
            )


def _tier_faults(tier: ModelTier) -> Iterator[Fault]:
    if tier.metadata.name == RESERVED_NAME:
        yield "metadata.name", "is what callers send for classification: name the tier otherwise"
    former: dict[tuple[str, str], int] = {}
    for index, model in enumerate(tier.spec.models):
        candidate = (reference_id(model.provider, tier.metadata.namespace), model.model)
        if candidate in former:
            yield f"spec.models[{index}]", f"is spec.models[{former[candidate]}] again: remove one"
        former.setdefault(candidate, index)


def _policy_faults(policy: RoutePolicy) -> Iterator[Fault]:
    for index, rule in enumerate(policy.spec.rules):
        at = f"spec.rules[{index}].match"
        globs = [(f"{at}.models[{i}]", glob) for i, glob in enumerate(rule.match.models)]
        globs += [(f"{at}.users[{i}]", glob) for i, glob in enumerate(rule.match.users)]
        globs += [(f"{at}.headers[{i}].value", h.value) for i, h in enumerate(rule.match.headers)]
        for path, glob in globs:
            if "[" in glob or "]" in glob:
                yield path, "has brackets, and a glob knows * and ? alone: use ? in their place"


def _policy_warnings(policy: RoutePolicy) -> Iterator[Problem]:
    yield from _never_reached(policy)
    yield from _all_reserved(policy)
    yield from warming_warnings(policy)


def _never_reached(policy: RoutePolicy) -> Iterator[Problem]:
    """Behind a rule without conditions."""
    rules = policy.spec.rules
    takes_all = [index for index, rule in enumerate(rules) if rule.match == Match()]
    for index in range(takes_all[0] + 1, len(rules)) if takes_all else ():
        message = TAKEN.format(takes_all[0], rules[takes_all[0]].name)
        path = f"spec.rules[{index}]"
        yield Problem(ref_of(policy), "Enforced", "NoEffect", message, "warning", path)


def _all_reserved(policy: RoutePolicy) -> Iterator[Problem]:
    """All requests under a policy are of its priority."""
    if policy.spec.request_priority == "High":
        return
    for index, limit in enumerate(policy.spec.limits):
        if limit.reserved_percent == ALL and not limit.shadow:
            message = (
                "is the whole limit, which leaves nothing for this policy's requests: lower it, or"
                " set spec.requestPriority to High"
            )
            path = f"spec.limits[{index}].reservedPercent"
            yield Problem(ref_of(policy), "Enforced", "AllReserved", message, "warning", path)


def _budget_faults(budget: Budget) -> Iterator[Fault]:
    if not is_time_zone(budget.spec.time_zone):
        yield (
            "spec.timeZone",
            "is no IANA time zone: write one such as Europe/Berlin (until then, UTC counts)",
        )


def _budget_warnings(budget: Budget) -> Iterator[Problem]:
    if budget.spec.on_exceeded == "Warn":
        message = "is Warn, so that spending goes on beyond the limit: Reject would end it"
        yield Problem(ref_of(budget), "Enforced", "WarnOnly", message, "warning", "spec.onExceeded")
