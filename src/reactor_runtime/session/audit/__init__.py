"""What one user leaves to the next: the model is compared, after every session, with what it was before.

`Audit` takes a model and tells findings; it knows neither threads of the runtime nor HTTP.
"""

from .audit import Audit, Report
from .findings import Finding

__all__ = ["Audit", "Finding", "Report"]
