"""What separates answers (AT15, AT19, limits_cache.md section 6.12)."""

import copy
import json
from collections.abc import Callable
from itertools import combinations

import orjson
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from penstock_sidecar.cache.forms.openai_chat import FORM as CHAT
from penstock_sidecar.cache.key import Keys
from penstock_sidecar.cache.question import Question
from penstock_sidecar.cache.scope import Scope
from penstock_sidecar.model import Caller
from tests.sidecar.cache.builders import CALLER, TARGET, request

IGNORED = CHAT.ignored
steady = settings(deadline=None, derandomize=True)

KEYS = Keys(("c", "shop", "shop/main"), "App", b"secret")
REQUEST: dict[str, object] = {
    "messages": [{"role": "user", "content": "hi"}],
    "temperature": 0,
    "top_p": 1,
    "n": 1,
    "stop": ["\n"],
    "max_tokens": 5,
    "max_completion_tokens": 5,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logit_bias": {"50256": -100},
    "logprobs": True,
    "top_logprobs": 2,
    "seed": 1,
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "response_format": {"type": "text"},
    "reasoning_effort": "low",
    "modalities": ["text"],
    "prediction": {"type": "content", "content": "x"},
    "service_tier": "auto",
    "store": False,
    "verbosity": "low",
    "web_search_options": {},
    "functions": [],
    "function_call": "none",
    "some_vendors_own": {"deep": {"er": [1]}},
}
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
documents = st.dictionaries(st.text(max_size=8), json_values, max_size=6)


def asked(document: dict[str, object], keys: Keys = KEYS, target: str = TARGET) -> Question:
    question = keys.question(request(document), CALLER, target, "", CHAT)
    assert question
    return question


def key_of(document: dict[str, object], keys: Keys = KEYS, target: str = TARGET) -> str:
    return asked(document, keys, target).key


@pytest.mark.parametrize("field", REQUEST)
def test_a_change_of_any_field_changes_the_key(field: str) -> None:
    changed = copy.deepcopy(REQUEST)
    changed[field] = ["something else"]
    without = {
        name: value for name, value in REQUEST.items() if name != field or name == "messages"
    }
    assert key_of(changed) != key_of(REQUEST)
    assert field == "messages" or key_of(without) != key_of(REQUEST)


@steady
@given(documents, st.text(min_size=1, max_size=8), json_values)
def test_a_field_nobody_knows_changes_the_key(
    document: dict[str, object], name: str, value: object
) -> None:
    assume(name not in IGNORED and name != "messages")
    assume(name not in document or repr(_sorted(document[name])) != repr(_sorted(value)))
    assert key_of({**document, name: value}) != key_of(document)


@steady
@given(documents, documents)
def test_requests_that_differ_have_different_keys(
    one: dict[str, object], other: dict[str, object]
) -> None:
    def counted(document: dict[str, object]) -> str:
        return repr(_sorted({k: v for k, v in document.items() if k not in IGNORED}))

    same = counted(request(one).document) == counted(request(other).document)  # type: ignore[arg-type]  # the builder makes dicts
    assert (key_of(one) == key_of(other)) is same


@steady
@given(documents)
def test_the_order_of_fields_does_not_matter(document: dict[str, object]) -> None:
    assert key_of(_reversed(document)) == key_of(document)


@pytest.mark.parametrize("field", sorted(IGNORED))
def test_what_is_ignored_does_not_matter(field: str) -> None:
    assert key_of({**REQUEST, field: {"any": "thing"}}) == key_of(REQUEST)


@pytest.mark.parametrize("field", sorted(IGNORED))
def test_it_is_ignored_at_the_top_only(field: str) -> None:
    assert key_of({"tools": [{field: 1}]}) != key_of({"tools": [{field: 2}]})


def test_true_and_1_and_1_0_and_a_string_are_four_things() -> None:
    assert len({key_of({"x": value}) for value in (True, 1, 1.0, "1", None)}) == 5


def test_the_target_counts_and_the_name_that_was_sent_does_not() -> None:
    assert key_of({"model": "auto"}) == key_of({"model": "fast"})
    assert key_of({}, target="tier:shop/deep") != key_of({}, target="tier:shop/fast")
    assert key_of({}, target="model:fast") != key_of({}, target="tier:fast")


def test_a_document_that_is_no_json_has_no_key() -> None:
    assert KEYS.question(request({"x": 2**70}), CALLER, TARGET, "", CHAT) is None
    assert KEYS.question(request({"x": "\ud800"}), CALLER, TARGET, "", CHAT) is None


@pytest.mark.parametrize("number", [2**64 + 1, -(2**63) - 1, 10**25])
def test_integers_that_are_read_as_the_same_float_have_no_key(number: int) -> None:
    """A tool's result may name a customer by one."""
    document = orjson.loads(json.dumps({"messages": [{"content": [{"input": number}]}]}))
    assert KEYS.question(request(document), CALLER, TARGET, "", CHAT) is None


@pytest.mark.parametrize("value", [2**64 - 1, 1e-9, 0.1, "1e+20"])
def test_other_numbers_have_one(value: object) -> None:
    assert KEYS.question(request({"x": [value]}), CALLER, TARGET, "", CHAT)


names = st.from_regex(r"[a-z][a-z0-9-]{0,5}", fullmatch=True)
users = st.text(min_size=1, max_size=6)
callers = st.builds(Caller, st.just("shop"), names, names, users)


@steady
@given(callers, callers)
def test_apps_do_not_meet_in_scope_app(one: Caller, other: Caller) -> None:
    assert _meet("App", one, other) is (one.app == other.app)


@steady
@given(callers, callers)
def test_users_do_not_meet_in_scope_user_nor_one_name_in_two_apps(
    one: Caller, other: Caller
) -> None:
    assert _meet("User", one, other) is ((one.app, one.user) == (other.app, other.user))


@steady
@given(callers, callers)
def test_all_of_a_namespace_meet_in_scope_namespace(one: Caller, other: Caller) -> None:
    assert _meet("Namespace", one, other)


scopes = st.sampled_from(["App", "User", "Namespace"])
places = st.tuples(names, names, names, scopes, st.binary(min_size=1, max_size=8))


@steady
@given(places, places)
def test_clusters_namespaces_policies_scopes_and_secrets_never_meet(
    one: tuple[str, str, str, Scope, bytes], other: tuple[str, str, str, Scope, bytes]
) -> None:
    first, second = (
        key_of({}, Keys((cluster, namespace, f"{namespace}/{policy}"), scope, secret))
        for cluster, namespace, policy, scope, secret in (one, other)
    )
    assert (first == second) is (one == other)


@steady
@given(st.lists(st.text("abc:/", min_size=1, max_size=4), min_size=3, max_size=3, unique=True))
def test_no_spelling_of_names_makes_two_places_one(parts: list[str]) -> None:
    """Though the readable prefix of both may be the same."""
    makers: list[Callable[[], Keys]] = [
        lambda: Keys((f"{parts[0]}:c:{parts[1]}", parts[2], "x/p"), "App", b"s"),
        lambda: Keys((parts[0], f"{parts[1]}:c:{parts[2]}", "x/p"), "App", b"s"),
        lambda: Keys((parts[0], parts[1], f"{parts[2]}/p"), "App", b"s"),
    ]
    for one, other in combinations(makers, 2):
        assert key_of({}, one()) != key_of({}, other())


def test_the_scope_is_a_prefix_and_neither_user_nor_prompt_can_be_read() -> None:
    keys = Keys(("c", "shop", "shop/main"), "User", b"secret")
    caller = Caller("shop", "web", "web-1", "ann@example.org")
    first, second = (
        keys.question(request({"messages": text}), caller, TARGET, "", CHAT)
        for text in ("private", "other")
    )
    assert first
    assert second
    assert first.key.startswith("c:c:shop:2:main:{")
    assert first.key.rsplit(":", 1)[0] == second.key.rsplit(":", 1)[0]
    assert not {"ann", "private", "fast"} & set(first.key.replace("-", ":").split(":"))


def test_the_id_people_see_is_short_and_not_the_key() -> None:
    key = key_of({})
    assert len(KEYS.id(key)) == 16
    assert KEYS.id(key) not in key
    assert KEYS.id(key) != KEYS.id(key_of({"seed": 1}))


def _meet(scope: Scope, one: Caller, other: Caller) -> bool:
    keys = Keys(("c", "shop", "shop/main"), scope, b"secret")
    first, second = (keys.question(request(), who, TARGET, "", CHAT) for who in (one, other))
    assert first
    assert second
    return first.key == second.key


def _sorted(value: object) -> object:
    match value:
        case dict():
            return sorted((name, _sorted(inner)) for name, inner in value.items())
        case list():
            return ["list", *map(_sorted, value)]
        case _:
            return value


def _reversed(value: dict[str, object]) -> dict[str, object]:
    return {
        name: _reversed(inner) if isinstance(inner, dict) else inner
        for name, inner in reversed(value.items())
    }
