"""`reactor bench`: how fast a model is with everything behind it, without a browser."""

from .figures import CommandCost, EncoderCost, Figures
from .run import bench

__all__ = ["CommandCost", "EncoderCost", "Figures", "bench"]
