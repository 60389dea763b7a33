"""Log probabilities, in OpenAI's shape."""

from collections.abc import Iterator
from itertools import zip_longest

from penstock_sidecar.dialects.fields import list_of, object_of, objects_of, string_of
from penstock_sidecar.model import JsonObject


def logprobs_of(result: object) -> Iterator[JsonObject]:
    """Of a `logprobsResult`: the chosen tokens, each with the likeliest in its place."""
    chosen = list_of(object_of(result).get("chosenCandidates"))
    likeliest = list_of(object_of(result).get("topCandidates"))
    for token, top in zip_longest(chosen, likeliest[: len(chosen)]):
        others = objects_of(object_of(top).get("candidates"))
        yield {
            **_token(object_of(token)),
            "top_logprobs": [_token(other) for _, other in others],
        }


def _token(candidate: JsonObject) -> dict[str, object]:
    text, found = string_of(candidate.get("token")), candidate.get("logProbability")
    return {
        "token": text,
        "logprob": found if isinstance(found, int | float) else 0.0,
        "bytes": list(text.encode("utf-8", "replace")),
    }
