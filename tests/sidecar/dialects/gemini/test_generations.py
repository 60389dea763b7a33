import pytest

from penstock_sidecar.dialects.gemini.generations import before_3


@pytest.mark.parametrize(
    ("model", "former"),
    [
        ("gemini-2.5-flash", True),
        ("gemini-2.5-pro-preview-05-06", True),
        ("models/gemini-2.0-flash-lite", True),
        ("gemini-1.5-pro", True),
        ("gemini-pro", True),
        ("Gemini-2.5-Flash", True),
        ("gemma-3-27b-it", True),
        ("gemma-3n-e4b-it", True),
        ("gemini-3-flash-preview", False),
        ("gemini-3.1-pro-preview", False),
        ("gemini-4-argon", False),
        ("gemini-21", False),
        ("gemini-pro-latest", False),
        ("gemini-flash-latest", False),
        ("gemma-4-31b-it", False),
        ("tunedModels/mine", False),
    ],
)
def test_what_is_not_known_to_be_old_is_new(model: str, former: bool) -> None:
    assert before_3(model) is former
