"""The first rule whose conditions all hold."""

from dataclasses import replace

import pytest

from penstock_config.policy import Match, Modality, Rule
from penstock_sidecar.model import UNCLASSIFIED, Caller
from penstock_sidecar.routing.rules import Rules
from tests.sidecar.routing.builders import CALLER, request, rule, to_tier

FAST = to_tier("fast")


def matched(*rules: Rule, name: str = "m", user: str = "ann", input_tokens: int = 10) -> str | None:
    caller = Caller(CALLER.namespace, CALLER.app, CALLER.pod, user)
    asked = request(name, headers={"x-team": "search", "x-env": ""})
    found = Rules(rules).first(asked, caller, input_tokens, UNCLASSIFIED)
    return found.name if found else None


def test_the_first_of_several_wins() -> None:
    assert matched(rule("a", FAST, models=("no",)), rule("b", FAST), rule("c", FAST)) == "b"


def test_no_rule_holds_for_what_none_names() -> None:
    assert matched(rule("a", FAST, models=("other",))) is None
    assert matched() is None


@pytest.mark.parametrize(
    ("glob", "name", "holds"),
    [
        ("gpt-*", "gpt-4o", True),
        ("gpt-*", "GPT-4o", False),
        ("gpt-?o", "gpt-4o", True),
        ("gpt-[0-9]o", "gpt-4o", True),
        ("gpt", "gpt-4o", False),
        ("*", "", True),
        ("*", "two\nlines", True),
    ],
)
def test_models_are_globs_in_which_case_matters(glob: str, name: str, *, holds: bool) -> None:
    assert (matched(rule("r", FAST, models=(glob,)), name=name) == "r") is holds


def test_within_a_list_any_holds() -> None:
    assert matched(rule("r", FAST, models=("x", "m"))) == "r"


def test_of_several_headers_all_must_hold() -> None:
    assert matched(rule("r", FAST, headers={"x-none": "*", "x-team": "s*"})) is None
    assert matched(rule("r", FAST, headers={"x-env": "", "x-team": "s*"})) == "r"


def test_over_the_conditions_all_must_hold() -> None:
    assert matched(rule("r", FAST, models=("m",), users=("bob",))) is None
    assert matched(rule("r", FAST, models=("m",), users=("a*",), max_input_tokens=10)) == "r"


def test_users_are_globs_over_the_callers_user() -> None:
    assert matched(rule("r", FAST, users=("ann",)), user="ann") == "r"
    assert matched(rule("r", FAST, users=("ann",)), user="anne") is None


@pytest.mark.parametrize(
    ("modalities", "images", "audio", "holds"),
    [
        ((), 0, 0, True),
        ((), 1, 1, True),
        (("text",), 0, 0, True),
        (("text",), 1, 0, False),
        (("text",), 0, 1, False),
        (("image",), 0, 0, False),
        (("image",), 2, 0, True),
        (("image",), 0, 1, False),
        (("audio",), 1, 3, True),
        (("audio", "text"), 1, 0, False),
        (("audio", "text"), 0, 0, True),
        (("audio", "image"), 0, 1, True),
    ],
)
def test_modalities_are_what_the_messages_hold_and_text_is_text_alone(
    modalities: tuple[Modality, ...], images: int, audio: int, *, holds: bool
) -> None:
    asked = replace(request("m", images=images), audio=audio)
    only = Rule(name="r", match=Match(modalities=modalities), target=FAST)
    assert (Rules([only]).first(asked, CALLER, 10, UNCLASSIFIED) is only) is holds


def test_a_header_must_be_there_even_for_a_glob_that_takes_anything() -> None:
    assert matched(rule("r", FAST, headers={"x-absent": "*"})) is None
    assert matched(rule("r", FAST, headers={"X-Env": "*"})) == "r"


@pytest.mark.parametrize(("tokens", "holds"), [(99, True), (100, True), (101, False)])
def test_max_input_tokens_holds_up_to_the_number(tokens: int, *, holds: bool) -> None:
    assert (matched(rule("r", FAST, max_input_tokens=100), input_tokens=tokens) == "r") is holds


def test_a_glob_of_many_stars_costs_no_time() -> None:
    """Python's own translation backtracks at no star; a match of this by naive means never ends."""
    assert matched(rule("r", FAST, models=("*a" * 30 + "b",)), name="a" * 5_000) is None
