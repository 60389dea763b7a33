"""Conversations that are kept for callers who send a turn at a time (`x-penstock-session`)."""

from penstock_sidecar.sessions.paths import without_history
from penstock_sidecar.sessions.sessions import Session, Sessions
from penstock_sidecar.sessions.shelf import Shelf
from penstock_sidecar.sessions.summaries import Summaries

__all__ = ["Session", "Sessions", "Shelf", "Summaries", "without_history"]
