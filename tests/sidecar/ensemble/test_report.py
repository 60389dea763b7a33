"""What headers say of an ensemble."""

from dataclasses import replace

from penstock_sidecar.ensemble.report import MODELS_SHOWN, headers_of
from penstock_sidecar.model import EnsembleMember, EnsembleResult

CHOSEN = EnsembleMember("team/a", "big", "chosen", 0.75)
FAILED = EnsembleMember("team/b", "small", "failed", None, "provider_timeout")
JUDGE = EnsembleMember("team/c", "judge", "advised", cost_micro_usd=5)
RESULT = EnsembleResult("Majority", "panel", 3, 2, 2 / 3, False, (CHOSEN, FAILED, JUDGE))


def test_figures_and_models_are_structured_fields() -> None:
    assert headers_of(RESULT) == {
        "x-penstock-ensemble": "asked=3, answered=2, agreement=0.667, consensus=majority",
        "x-penstock-ensemble-models": (
            '"team/a/big";result=chosen;confidence=0.750,'
            ' "team/b/small";result=failed;error=provider_timeout'
        ),
    }


def test_a_degraded_one_says_so() -> None:
    said = headers_of(replace(RESULT, degraded=True))["x-penstock-ensemble"]
    assert said.endswith(", degraded")


def test_no_name_breaks_out_of_its_quotes() -> None:
    odd = replace(CHOSEN, model='say "hi"\\, größer')
    said = headers_of(replace(RESULT, members=(odd,)))["x-penstock-ensemble-models"]
    assert said.startswith('"team/a/say \\"hi\\"\\\\, gr??er";result=chosen')
    assert said.isascii()


def test_the_list_of_models_is_bounded() -> None:
    many = replace(RESULT, members=(CHOSEN,) * 100)
    assert headers_of(many)["x-penstock-ensemble-models"].count("team/a/big") == MODELS_SHOWN
