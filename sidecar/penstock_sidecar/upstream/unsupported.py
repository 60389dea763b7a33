"""What to say when a provider's protocol has no words for a field."""

from penstock_sidecar.errors import UpstreamUnsupported


def unsupported(param: str, why: str = "") -> UpstreamUnsupported:
    return UpstreamUnsupported(
        f"`{param}` cannot be expressed to a provider of type ollama{why}: remove it, or ask a"
        " model of another provider",
        code="unsupported_parameter",
        param=param,
    )
