"""Figures that a test notes beside its verdict: `pytest -o log_cli=true --log-cli-level=INFO`."""

import logging

logger = logging.getLogger(__name__)


def note(**figures: object) -> None:
    """Also shown where the test fails."""
    logger.info("%s", figures)
