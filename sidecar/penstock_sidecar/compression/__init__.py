"""Shorter prompts for providers: opted in, part by part, and never at the cost of a fact."""

from penstock_sidecar.compression.stage import Compressed, Compressor

__all__ = ["Compressed", "Compressor"]
