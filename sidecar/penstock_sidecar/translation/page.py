"""docs/translation.md, from the tables."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, get_args

from penstock_config.provider import ProviderType
from penstock_sidecar.dialects.dialect import ProviderSide
from penstock_sidecar.dialects.features import Feature
from penstock_sidecar.dialects.quirks import BY_PRESET
from penstock_sidecar.model import Api
from penstock_sidecar.translation.prose import HEAD, NO_EMBEDDINGS, REMARKS, SAME
from penstock_sidecar.translation.providers import (
    CHAT_FEATURES,
    CHATS,
    CLAUDES,
    COMMON,
    EMBEDDERS,
    EMBEDDING_FEATURES,
    NARROWER,
    fate,
    model_fates,
    passages,
    preset_fates,
)
from penstock_sidecar.translation.vocabulary import OPTIONS, VOCABULARIES, Vocabulary

PATHS: Final[Mapping[Api, str]] = {
    "openai-chat": "/v1/chat/completions",
    "openai-completions": "/v1/completions",
    "openai-responses": "/v1/responses",
    "openai-embeddings": "/v1/embeddings",
    "anthropic-messages": "/v1/messages",
    "anthropic-count-tokens": "/v1/messages/count_tokens",
    "ollama-chat": "/api/chat",
    "ollama-generate": "/api/generate",
    "ollama-embed": "/api/embed",
    "ollama-embeddings": "/api/embeddings",
}


def page() -> str:
    """The whole of it, in Markdown."""
    return "".join([HEAD, SAME, *_passages(), *_callers(), *_providers(), *_embedders()])


def _passages() -> Iterator[str]:
    yield _row(["Type", "Passes"])
    yield _row(["---"] * 2)
    for type_ in CHATS:
        yield _row([f"`{type_}`", _passing(type_)])
    serving = [f"`{name}`" for name, quirks in sorted(BY_PRESET.items()) if quirks.responses]
    yield f"\nOf presets, {', '.join(serving)} serve `/v1/responses` themselves.\n\n"


def _passing(type_: ProviderType) -> str:
    same = passages(type_)
    paths = [_path(api, same[api]) for api in get_args(Api) if api in same]
    return ", ".join(paths) or "nothing: no caller speaks its API"


def _path(api: Api, needs: str | None) -> str:
    return f"`{PATHS[api]}`" + (f" (models with the capability `{needs}`)" if needs else "")


def _callers() -> Iterator[str]:
    yield "## What callers may say\n\n"
    yield "Where the provider speaks another API. A field that is in no list is refused.\n"
    for api, vocabulary in VOCABULARIES.items():
        yield f"\n### `POST {PATHS[api]}`\n\n"
        yield from _vocabulary(vocabulary)
    yield "\n### `options` of `/api/chat` and `/api/generate`\n\n"
    yield from _vocabulary(OPTIONS)


def _vocabulary(vocabulary: Vocabulary) -> Iterator[str]:
    yield f"- Translated: {_names(vocabulary.translated)}.\n"
    yield f"- Dropped: {_names(vocabulary.dropped)}.\n"
    if vocabulary.refused:
        yield f"- Refused: {_names(vocabulary.refused)}.\n"
    for name, values in sorted(vocabulary.neutral.items()):
        allowed = " or ".join(f"`{json.dumps(value)}`" for value in values)
        yield f"- Refused unless it is {allowed}, which asks for nothing: `{name}`.\n"
    if vocabulary.narrower:
        yield f"- Refused within what is translated: {'; '.join(vocabulary.narrower)}.\n"


def _providers() -> Iterator[str]:
    yield "\n## What providers are told\n\n"
    yield from _fates(CHATS, CHAT_FEATURES)
    yield REMARKS
    for what, types in NARROWER.items():
        yield f"- {', '.join(f'`{type_}`' for type_ in types)}: {what}.\n"
    yield "\n### Presets of type `openai`\n\n"
    yield f"All drop {_in_order(COMMON.dropped)}; all refuse {_in_order(COMMON.refused)}.\n\n"
    yield from _differences("Preset", sorted(BY_PRESET), preset_fates)
    yield "\n### Models of Anthropic's\n\n"
    yield "Beside what the column says; one model of each kind.\n\n"
    yield from _differences("Model", CLAUDES, model_fates)


def _embedders() -> Iterator[str]:
    yield "\n## Embeddings\n\n"
    yield from _fates(EMBEDDERS, EMBEDDING_FEATURES)
    most = [str(side.lacks.most_inputs or "any number") for side in EMBEDDERS.values()]
    yield _row(["texts at once; more are refused", *most])
    yield NO_EMBEDDINGS


def _fates(
    sides: Mapping[ProviderType, ProviderSide[Any]], features: Sequence[Feature]
) -> Iterator[str]:
    yield _row(["Asked for", *(f"`{type_}`" for type_ in sides)])
    yield _row(["---"] * (len(sides) + 1))
    for feature in features:
        yield _row([feature.value, *(fate(feature, side.lacks) for side in sides.values())])


def _differences(
    head: str,
    names: Sequence[str],
    fates: Callable[[str], tuple[frozenset[Feature], frozenset[Feature]]],
) -> Iterator[str]:
    yield _row([head, "Dropped", "Refused"])
    yield _row(["---"] * 3)
    for name in names:
        dropped, refused = fates(name)
        yield _row([f"`{name}`", _in_order(dropped), _in_order(refused)])


def _in_order(features: Collection[Feature]) -> str:
    return ", ".join(feature.value for feature in Feature if feature in features)


def _names(fields: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(fields))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
