"""What is measured against the limit, and how near the engine has to come."""

from dataclasses import dataclass

import engine
import kernels
from kernels import Outcome
from nephoscope import Scenario

ROUTINGS = ("round_robin", "least_connections", "ip_hash", "least_response_time")


@dataclass(frozen=True)
class Row:
    """One model, run by the engine and by a limit kernel."""

    kernel: str
    instances: int
    limit: float  # the engine may take this many times as long
    utilisation: float = 0.8
    requests: int = 1_000_000

    @property
    def name(self) -> str:
        return self.kernel if self.instances == 1 else f"{self.kernel}/{self.instances}"

    @property
    def discipline(self) -> str:
        return "ps" if self.kernel.startswith("ps/") else "fifo"

    @property
    def routing(self) -> str:
        return "round_robin" if self.instances == 1 else self.kernel.split("/")[1]

    @property
    def same_path(self) -> bool:
        """Whether engine and kernel serve every request at the same instance."""
        return self.routing == "round_robin"

    def end_ns(self, requests: int) -> int:
        rate_per_ns = self.utilisation * self.instances / engine.WORK_NS
        return round(requests / rate_per_ns)

    def scenario(self, requests: int) -> Scenario:
        return engine.farm(
            instances=self.instances,
            utilisation=self.utilisation,
            end_ns=self.end_ns(requests),
            routing=self.routing,
            discipline=self.discipline,
        )

    def run_kernel(self, requests: int, seed: int) -> Outcome:
        return kernels.load().run(
            self.kernel,
            instances=self.instances,
            utilisation=self.utilisation,
            seed=seed,
            end_ns=self.end_ns(requests),
        )


ROWS = [
    *(Row(f"fifo/{routing}", 1_000, 1.5) for routing in ROUTINGS),
    Row("ps/least_connections", 1_000, 1.8),
    Row("ps/round_robin", 1_000, 1.8),
    *(Row(f"fifo/{routing}", 100_000, 1.6, requests=5_000_000) for routing in ROUTINGS),
    Row("single", 1, 2.0, utilisation=0.9),
    # What is left when a request costs its draws, a maximum and its record: the far limit.
    Row("lindley/round_robin", 1_000, 4.0),
]
