"""What a model's name says of it: `llama3.1:8b-instruct-q4_K_M`, `hf.co/a/Foo-13B-GGUF:Q5_K_M`."""

import re
from dataclasses import dataclass
from typing import Final

LATEST: Final = "latest"
_OFFICIAL: Final = re.compile(r"^(registry\.ollama\.ai/)?(library/)?")
_SIZE: Final = re.compile(
    r"(?<![a-z0-9.])(?:(\d+)x)?(\d+(?:\.\d+)?)([mbt])(?![a-z0-9])", re.IGNORECASE
)
_FORMAT: Final = re.compile(
    r"(?<![a-z0-9])(i?q\d+(?:_[a-z0-9]+)*|bf16|fp?16|f32|mxfp4)(?![a-z0-9])", re.IGNORECASE
)
SCALE: Final = {"M": 10**6, "B": 10**9, "T": 10**12}


@dataclass(frozen=True, slots=True)
class SaidByName:
    """`size` and `quantisation` of `None`: the name says nothing of it."""

    family: str
    """Without registry and tag: `llama3.1`."""
    tag: str
    size: str | None
    """Such as `8b` or `8x7b`, in lower case."""
    quantisation: str | None
    """In capitals."""

    @property
    def parameters(self) -> int | None:
        """`None` for mixtures of experts, `8x7b`: they share layers, so it is no product."""
        return None if self.size is None or "x" in self.size else parameters_of(self.size)


def said_by(name: str) -> SaidByName:
    """Without a tag it is `latest`, as Ollama has it."""
    owner, slash, last = _OFFICIAL.sub("", name).rpartition("/")
    own, _, tag = last.partition(":")
    size = _SIZE.search(tag) or _SIZE.search(own)
    format_ = _FORMAT.search(tag) or _FORMAT.search(own)
    return SaidByName(
        f"{owner}{slash}{own}".lower(),
        (tag or LATEST).lower(),
        size.group().lower() if size else None,
        format_.group().upper() if format_ else None,
    )


def tagged(name: str) -> str:
    """The name with its tag: `mistral` is `mistral:latest`."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:{LATEST}"


def parameters_of(text: str) -> int:
    """Of `8B`, `1.5b`, `137M`."""
    return round(float(text[:-1]) * SCALE[text[-1].upper()])
