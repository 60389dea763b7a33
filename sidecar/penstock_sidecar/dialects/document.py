"""A provider's JSON, parsed."""

import json

import orjson


def parse(data: bytes) -> object:
    """Raises `ValueError`.

    orjson is strict. Some providers send NaN in logprobs, or a surrogate pair cut in two: their
    clients read it, so the standard library gets a second try.
    """
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            return json.loads(data)
        except RecursionError as error:
            msg = "nested too deep"
            raise ValueError(msg) from error
