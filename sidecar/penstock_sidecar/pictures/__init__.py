"""Pictures in requests: scaled down and freed of metadata before anything is counted or sent."""

from penstock_sidecar.pictures.stage import Pictures

__all__ = ["Pictures"]
