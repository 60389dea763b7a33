"""What Ollama answers with: https://github.com/ollama/ollama/blob/main/docs/api.md."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Installed(_Said):
    """A model on disk, in `/api/tags`."""

    name: str
    digest: str = ""
    size: int = 0


class Running(_Said):
    """A model in memory, in `/api/ps`; an older server lists it already while it loads."""

    name: str
    digest: str = ""
    size: int = 0
    size_vram: int = 0
    expires_at: datetime | None = None


class Tags(_Said):
    models: tuple[Installed, ...] | None = None


class Ps(_Said):
    models: tuple[Running, ...] | None = None


class Shown(_Said):
    """Of `/api/show`, what tells whose weights a model has."""

    modelfile: str = ""

    @property
    def weights(self) -> str:
        """The file that its first FROM names; empty when there is none."""
        for line in self.modelfile.splitlines():
            word, _, rest = line.strip().partition(" ")
            if word.upper() == "FROM":
                return rest.strip()
        return ""


class Line(_Said):
    """A line of the stream that a pull or a create answers with."""

    status: str = ""
    digest: str = ""
    total: int = 0
    completed: int = 0
    error: str | None = None
    """Comes within a stream of status 200, as its last line."""


class Failure(_Said):
    error: str
