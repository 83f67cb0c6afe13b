"""`reactor test --leaks`: two made-up users in both orders, and whether either leaves the other anything."""

from .verdict import Verdict, judge

__all__ = ["Verdict", "judge"]
