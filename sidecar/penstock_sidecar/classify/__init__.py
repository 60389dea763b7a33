"""What a request is about and how hard it is, found by rules compiled at load."""

from penstock_sidecar.classify.classifier import Classifier
from penstock_sidecar.classify.stage import Classify

__all__ = ["Classifier", "Classify"]
