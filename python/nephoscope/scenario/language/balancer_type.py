"""What a load balancer is billed as. Its type decides its price and, if it asks, its defaults."""

from typing import Annotated, Any, Literal, Self

from pydantic import model_validator

from nephoscope.scenario.language.fields import AnySize, refusal, whole
from nephoscope.scenario.language.model import Model

# Of a request and its answer together, an assumption.
BYTES_PER_REQUEST = 4_000


class Billed(Model):
    """Keys of a load balancer that its bill goes by."""

    type: Literal["application", "network", "gateway", "classic", "none"] = "application"
    """Which price it has, and which defaults if it has those of the service; none: it costs
    nothing."""
    protocol: Literal["tcp", "udp", "tls"] | None = None
    """Of the type network, by default tcp: what a capacity unit holds depends on it."""
    target_type: Literal["instance", "lambda"] | None = None
    """Of the type application, by default instance; lambda: its fleets stand for functions, and a
    capacity unit holds less."""
    requests_per_connection: Annotated[int, whole(1, 10**9)] | None = None
    """By default each request opens a connection."""
    bytes_per_request: AnySize | None = None
    """Of a request and its answer together, by default 4 kB."""
    rules: Annotated[int, whole(0, 1000)] | None = None
    """That are evaluated for each request, by default none but the ten that cost nothing."""

    @model_validator(mode="after")
    def _bill_goes_by_it(self) -> Self:
        if self.rules is not None and self.type != "application":
            raise refusal("rules are of the type application", "no rules, or type: application")
        if self.protocol is not None and self.type != "network":
            raise refusal("a protocol is of the type network", "no protocol, or type: network")
        if self.target_type is not None and self.type != "application":
            allowed = "no target_type, or type: application"
            raise refusal("a target_type is of the type application", allowed)
        if self.requests_per_connection is not None and self.type in ("classic", "none"):
            message = f"a load balancer of type {self.type} is not billed by connections"
            raise refusal(message, "no requests_per_connection")
        if self.bytes_per_request is not None and self.type == "none":
            raise refusal("a load balancer of type none has no bill", "no bytes_per_request")
        return self

    @property
    def use(self) -> dict[str, Any]:
        """What a request is to the bill."""
        told = self.bytes_per_request
        return {
            "traffic": self.protocol or self.target_type,
            "requests_per_connection": self.requests_per_connection or 1,
            "bytes_per_request": BYTES_PER_REQUEST if told is None else int(told),
            "rules": self.rules or 0,
        }
