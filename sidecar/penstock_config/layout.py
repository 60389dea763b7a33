"""What lies where in Redis: what sidecars write there, and the operator reads.

Two slot groups, so that a script never leaves one slot:

    {<cluster>:n:<namespace>}:...              caller limits, budgets
    {<cluster>:p:<namespace>/<provider>}:...   provider limits, budgets that bind a provider

No name holds a limit's value, nor a version: an edited limit goes on from what was used, and
sidecars of two versions count together. Names and fields never change their meaning; new may come.

`state`, a HASH, holds budgets (and, in a provider's group, its limits):

    <budget>:<label>:S            settled, micro-USD of the period
    <budget>:<label>:R            reserved by requests in flight
    <budget>:<label>:U            unsettled: held for calls whose cost never became known
    <budget>:<label>:I<process>   what one sidecar process has settled in all: the source of S
    <budget>:<label>:P, N         what is known since a loss of data: see `add_total` (totals.lua)
    @epoch, @seq, @learning       whether the data was lost, rolled back, or is being relearned

where `<budget>` is `budget_field` and `<label>` the period's, by `periods.Calendar`. A user's own
budgets are the same fields of a HASH of his own (`user`).
"""

import hashlib
from dataclasses import dataclass
from typing import Final, Self

from penstock_config.periods import Period

MAX_BLAKE2B_KEY: Final = 64
EPOCH_FIELD: Final = "@epoch"
SEQUENCE_FIELD: Final = "@seq"
LEARNING_FIELD: Final = "@learning"
SETTLED: Final = "S"
RESERVED: Final = "R"
UNSETTLED: Final = "U"
PROCESS: Final = "I"


@dataclass(frozen=True, slots=True)
class Group:
    """One slot group. `keys` are state, holds and expiry: KEYS[1] to [3] of every script."""

    tag: str
    keys: tuple[str, str, str]

    @classmethod
    def of_namespace(cls, cluster: str, namespace: str) -> Self:
        return cls._of(f"{{{cluster}:n:{namespace}}}")

    @classmethod
    def of_provider(cls, cluster: str, provider_id: str) -> Self:
        return cls._of(f"{{{cluster}:p:{provider_id}}}")

    @classmethod
    def _of(cls, tag: str) -> Self:
        return cls(tag, (f"{tag}:state", f"{tag}:holds", f"{tag}:expiry"))

    @property
    def state(self) -> str:
        return self.keys[0]

    @property
    def members(self) -> str:
        """ZSET: sidecar process -> when it was last heard of, us."""
        return f"{self.tag}:members"

    def slots(self, name: str) -> str:
        """The lease ZSET of a concurrency limit."""
        return f"{self.tag}:slots:{name}"

    def subject(self, digest: str) -> str:
        """HASH: windows and days of one app, pod, user or header value."""
        return f"{self.tag}:subject:{digest}"

    def subjects(self, policy_id: str) -> str:
        """ZSET: subjects of a policy that are told apart -> until when, us."""
        return f"{self.tag}:subjects:{policy_id}"

    def user(self, digest: str) -> str:
        """HASH: what one user spent."""
        return f"{self.tag}:user:{digest}"

    def spenders(self, budget_id: str) -> str:
        """ZSET: `<label>:<user>` -> micro-USD settled in the budget's longest period."""
        return f"{self.tag}:spenders:{budget_id}"

    def pod(self, uid: str) -> str:
        """STRING: the heartbeat of that pod's sidecar, by itself soon gone; see `heartbeat`."""
        return f"{self.tag}:pod:{uid}"

    def scores(self, label: str) -> str:
        """HASH: task -> what is known of that candidate's answers; see `scores.lua`."""
        return f"{self.tag}:scores:{label}"

    @property
    def breakers(self) -> str:
        """HASH: which of a provider's models fail; see `breaker`. Gone when nothing does."""
        return f"{self.tag}:breakers"

    def fleet(self, provider_id: str) -> str:
        """STRING, of a namespace: replicas of a managed provider that it uses; see `fleet`."""
        return f"{self.tag}:fleet:{provider_id}"

    @property
    def demand(self) -> str:
        """HASH: sidecar process -> what it asks of a managed provider; see `fleet`."""
        return f"{self.tag}:demand"

    def teller(self, process: str) -> str:
        """STRING: number of the last lessons that a process told, by itself soon gone."""
        return f"{self.tag}:teller:{process}"

    @property
    def waiting(self) -> str:
        """ZSET: app that waits for its turn -> until when, us."""
        return f"{self.tag}:waiting"

    @property
    def turns(self) -> str:
        """ZSET: app -> what it got while others waited, by weight."""
        return f"{self.tag}:turns"


def budget_field(budget_id: str, period: Period) -> str:
    """What a budget's fields of one kind of period begin with."""
    return f"budget:{budget_id}:{period}"


def subject_digest(scope_key: bytes, *parts: str) -> str:
    """128 bits that stand for a subject: nobody without the namespace's key can guess whose.

    Any text: a header's bytes need not be UTF-8, and come as lone surrogates then.
    """
    key = scope_key if len(scope_key) <= MAX_BLAKE2B_KEY else hashlib.sha256(scope_key).digest()
    text = "\0".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, key=key, digest_size=16).hexdigest()
