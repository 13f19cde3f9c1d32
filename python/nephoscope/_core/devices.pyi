"""What the devices of instances give."""

from typing import final

@final
class BurstRate:
    def __init__(self) -> None: ...
    baseline: int
    peak: int
    burst: int
