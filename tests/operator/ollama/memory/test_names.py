"""What a name says."""

import pytest

from penstock_operator.ollama.memory.names import said_by


@pytest.mark.parametrize(
    ("name", "parameters", "quantisation"),
    [
        ("foo:13b-q5_K_M", 13_000_000_000, "Q5_K_M"),
        ("foo:1.5b", 1_500_000_000, None),
        ("foo:137m-v1.5-fp16", 137_000_000, "FP16"),
        ("hf.co/someone/Foo-3.2-13B-Instruct-GGUF:Q4_K_M", 13_000_000_000, "Q4_K_M"),
        ("someone/foo-7b.iq4_xs", 7_000_000_000, "IQ4_XS"),
        ("foo:8x7b-q4_0", None, "Q4_0"),
        ("foo:v0.3", None, None),
        ("foo4b2:latest", None, None),
        ("foo", None, None),
    ],
)
def test_a_name_may_say_the_size_and_the_format(
    name: str, parameters: int | None, quantisation: str | None
) -> None:
    said = said_by(name)
    assert (said.parameters, said.quantisation) == (parameters, quantisation)


def test_a_port_of_a_registry_is_no_tag() -> None:
    assert said_by("registry.example.com:5000/team/foo:7b").tag == "7b"
    assert said_by("registry.example.com:5000/team/foo").tag == "latest"
