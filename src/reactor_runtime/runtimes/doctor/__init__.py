"""`reactor doctor`: whether people will be able to connect, found out before they try."""

from .finding import Finding, Level
from .here import examine
from .there import examine_url

__all__ = ["Finding", "Level", "examine", "examine_url"]
