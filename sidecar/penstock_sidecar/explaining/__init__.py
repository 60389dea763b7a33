"""Which way a request would take, and why, by the stages that serve. Nothing is sent."""

from penstock_sidecar.explaining.document import document_of, limits_of
from penstock_sidecar.explaining.explainer import Cost, Explainer, Explanation

__all__ = ["Cost", "Explainer", "Explanation", "document_of", "limits_of"]
