"""The base of all errors: what each of them can say."""

from collections.abc import Mapping
from typing import ClassVar


class SidecarError(Exception):
    """Base of all; `public` is the sentence that the caller reads."""

    status: int = 500
    type: ClassVar[str] = "server_error"
    code: str | None = "internal_error"
    error_type: ClassVar[str] = "own_error"
    """For metrics: caller_*, policy_*, provider_* or own_*."""
    should_retry: ClassVar[bool | None] = None
    """Says `x-should-retry`, which the vendors' clients obey before their own rules."""
    next_candidate: ClassVar[bool] = False
    """Another candidate may still serve."""
    same_again: ClassVar[bool] = False
    """Worth a retry of the same candidate."""

    def __init__(
        self,
        public: str,
        *,
        param: str | None = None,
        retry_after_seconds: float | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(public)
        self.public = public
        self.param = param
        self.retry_after_seconds = retry_after_seconds
        self.metadata = metadata
        self.headers: Mapping[str, str] = {}
        """Further response headers, such as `x-ratelimit-*`."""
