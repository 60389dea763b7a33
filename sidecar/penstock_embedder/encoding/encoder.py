"""What embeds texts, as the rest sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Reading = tuple[int, ...]
"""A text's tokens, the marks at both ends among them."""


@dataclass(frozen=True, slots=True)
class Nature:
    """What two encoders must share for their vectors to be comparable."""

    id: str
    """8 hex digits: a digest of the weights. The same for all backends."""
    dimension: int
    window: int
    """The longest reading, in tokens."""


class Encoder(Protocol):
    """Both methods may be called from several threads at once, and use one core each."""

    @property
    def nature(self) -> Nature: ...

    def read(self, texts: Sequence[str]) -> list[Reading]:
        """The tokens of each text, however many."""
        ...

    def embed(self, readings: Sequence[Reading]) -> NDArray[np.float32]:
        """(readings, dimension), rows of unit length. None is longer than the window."""
        ...
