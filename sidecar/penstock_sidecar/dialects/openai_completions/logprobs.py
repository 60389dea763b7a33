"""Log probabilities in the shape that they had before chat: four lists, a place for each token."""

from collections.abc import Iterator, Sequence

from penstock_sidecar.dialects.fields import objects_of, string_of
from penstock_sidecar.model import JsonObject


class OldLogprobs:
    """Of one choice, piece by piece. `offset` is where its text begins, in characters."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def document(self, tokens: Sequence[JsonObject]) -> dict[str, object] | None:
        """`None` where there are none."""
        if not tokens:
            return None
        texts = [string_of(token.get("token")) for token in tokens]
        return {
            "tokens": texts,
            "token_logprobs": [token.get("logprob") for token in tokens],
            "top_logprobs": [_likeliest(token) for token in tokens],
            "text_offset": list(self._offsets(texts)),
        }

    def _offsets(self, texts: Sequence[str]) -> Iterator[int]:
        for text in texts:
            yield self._offset
            self._offset += len(text)


def _likeliest(token: JsonObject) -> dict[str, object]:
    listed = (entry for _, entry in objects_of(token.get("top_logprobs")))
    return {string_of(entry.get("token")): entry.get("logprob") for entry in listed}
