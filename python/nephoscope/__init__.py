"""A cloud simulator: load-balanced fleets, request by request, at the speed of the machine.

>>> import nephoscope as nph
>>> scenario = nph.Scenario(
...     duration="10m",
...     warmup="1m",
...     services={"page": {"steps": [{"compute": {"exponential": "20ms"}}]}},
...     fleets={"web": {"count": 4, "service": "page"}},
...     load_balancers={"entrance": {"targets": ["web"], "routing": "least_connections"}},
...     traffic={"visitors": {"to": "entrance", "rate": "150/s"}},
... )
>>> result = scenario.run(rng=7)
>>> result["traffic.visitors.rejected"]
0
>>> 0.02 < result["traffic.visitors.latency_s.mean"] < 0.05
True
"""

from nephoscope import catalog, parts, routing
from nephoscope.errors import (
    CatalogError,
    EventError,
    ExperimentError,
    NephoscopeError,
    PathError,
    PatternError,
    PolicyError,
    Problem,
    ScenarioError,
    UnitError,
    WordError,
)
from nephoscope.experiment import (
    Comparison,
    Frontier,
    Replications,
    Sizing,
    Sweep,
    compare,
    design,
    frontier,
    replicate,
    size,
    sweep,
)
from nephoscope.progress import Progress
from nephoscope.results import Result
from nephoscope.results import engine_version as _engine_version
from nephoscope.rollouts import rollouts
from nephoscope.run import run
from nephoscope.scenario import Scenario
from nephoscope.scenario.language.compiled_policy import RoutingPolicy
from nephoscope.simulation import Simulation
from nephoscope.splitting import Tail, splitting
from nephoscope.theory import Explanation, explain

__version__ = _engine_version().removeprefix("nephoscope ")

__all__ = [
    "CatalogError",
    "Comparison",
    "EventError",
    "ExperimentError",
    "Explanation",
    "Frontier",
    "NephoscopeError",
    "PathError",
    "PatternError",
    "PolicyError",
    "Problem",
    "Progress",
    "Replications",
    "Result",
    "RoutingPolicy",
    "Scenario",
    "ScenarioError",
    "Simulation",
    "Sizing",
    "Sweep",
    "Tail",
    "UnitError",
    "WordError",
    "catalog",
    "compare",
    "design",
    "explain",
    "frontier",
    "parts",
    "replicate",
    "rollouts",
    "routing",
    "run",
    "size",
    "splitting",
    "sweep",
]
