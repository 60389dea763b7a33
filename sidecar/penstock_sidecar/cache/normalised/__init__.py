"""Level 2: requests that differ in spelling alone are one."""

from penstock_sidecar.cache.normalised.document import normalised

__all__ = ["normalised"]
