"""What an embedding request asks for beyond a vector, for a provider that may lack it."""

from collections.abc import Iterator

from penstock_sidecar.dialects.dialect import Unspeakable
from penstock_sidecar.dialects.features import Feature, Lacks
from penstock_sidecar.dialects.texts import Texts


def refuse_texts(texts: Texts, lacks: Lacks) -> None:
    """Raises `Unspeakable`, naming the caller's field."""
    for feature, where in features_of_texts(texts):
        if feature in lacks.refused:
            mend = "send text" if feature is Feature.COUNTED else "remove it"
            raise Unspeakable(where, mend=mend)
    most = lacks.most_inputs
    if most is not None and len(texts.inputs) > most:
        raise Unspeakable(texts.name_of("inputs"), f" with more than {most} entries", "send fewer")


def features_of_texts(texts: Texts) -> Iterator[tuple[Feature, str]]:
    """Each with its path in the caller's document."""
    if any(not isinstance(text, str) for text in texts.inputs):
        yield Feature.COUNTED, texts.name_of("inputs")
    if texts.dimensions is not None:
        yield Feature.DIMENSIONS, texts.name_of("dimensions")
    if texts.task is not None:
        yield Feature.TASK, texts.name_of("task")
    if texts.cut is not None:
        yield (Feature.CUT if texts.cut else Feature.UNCUT), texts.name_of("cut")
    if texts.user is not None:
        yield Feature.USER, texts.name_of("user")
