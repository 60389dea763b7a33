"""Models' names as Ollama lists them: `llama3.2` is `llama3.2:latest`."""

from typing import Final

DEFAULT_PLACES: Final = ("registry.ollama.ai/", "library/")
DEFAULT_TAG: Final = "latest"


def canonical(name: str) -> str:
    """As `/api/tags` and `/api/ps` say it, in lower case: Ollama tells no two apart by case.

    `types/model/name.go` of ollama/ollama: host and namespace are left out where they are the
    default, the tag never is.
    """
    short = name.strip().lower()
    short = short.partition("://")[2] or short
    for place in DEFAULT_PLACES:
        short = short.removeprefix(place)
    *places, model = short.split("/")
    tagged = model if ":" in model else f"{model}:{DEFAULT_TAG}"
    return "/".join((*places, tagged))


def is_path(source: str) -> bool:
    """Whether FROM names a file or a directory, as in a Modelfile: `/models/x`, `./x`."""
    return source.startswith(("/", "./", "../"))
