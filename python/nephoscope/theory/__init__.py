"""What queueing theory says of a scenario: loads, models, their figures and their conditions.

One file for each family of formulas, with its sources; `explain` asks them all.
"""

from nephoscope.theory.answer import Answer, Figure, Load, QueueLoad
from nephoscope.theory.explaining import Explanation, explain

__all__ = ["Answer", "Explanation", "Figure", "Load", "QueueLoad", "explain"]
