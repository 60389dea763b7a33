"""Several models answer a request, one answer results.

plan -> gather (members beside each other, until enough) -> consensus -> reply
"""

from penstock_sidecar.ensemble.gpu import GpuMemory
from penstock_sidecar.ensemble.plan import Ensembles, Plan, Votes
from penstock_sidecar.ensemble.serving import Ensemble

__all__ = ["Ensemble", "Ensembles", "GpuMemory", "Plan", "Votes"]
