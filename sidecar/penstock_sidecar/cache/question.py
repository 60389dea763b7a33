"""A request as the cache knows it: where its answer lies, if there is one."""

from dataclasses import field

from penstock_config.cache_layout import Shelves
from penstock_sidecar.cache.forms import Form
from penstock_sidecar.cache.hit import Hit
from penstock_sidecar.model import Caller, Request
from penstock_sidecar.values import dataclass


@dataclass(slots=True, repr=False)
class Shadow:
    """What the semantic level would have answered, and must not."""

    hit: Hit | None = None
    name: str = ""
    """Of that answer."""

    def note(self, hit: Hit, name: str) -> None:
        self.hit, self.name = hit, name


@dataclass(frozen=True, slots=True, repr=False)
class Question:
    """Made once per request; `None` in its place is a request that the cache leaves alone."""

    request: Request
    caller: Caller
    target: str
    """`tier:<id>` or `model:<name>`, as the router says it."""
    kind: str
    form: Form
    shelves: Shelves
    """Of the caller's scope."""
    name: str
    """`<target>:<request>` in hex: of the answer within its scope."""
    exact: str
    """The digest of the request as it came, in hex; `name` may be that of a normalised one."""
    findable: bool = True
    """A lookup of the policy's levels gives its answer to whoever asks the same, once it is kept.
    Else it may be kept for what the semantic level learns from it."""
    shadow: Shadow = field(default_factory=Shadow, compare=False)

    @property
    def key(self) -> str:
        """Of the answer, in Redis."""
        return self.shelves.answer(self.name)

    @property
    def looked_up(self) -> bool:
        """The caller takes what is kept."""
        return not self.request.cache_control.no_cache

    @property
    def kept(self) -> bool:
        """The caller lets his answer be kept."""
        control = self.request.cache_control
        return not control.no_store and control.store_seconds != 0
