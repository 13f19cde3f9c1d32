"""Experiments: many runs of one scenario, and what they say together."""

from nephoscope.experiment.replicate import Interval, Replications, replicate

__all__ = ["Interval", "Replications", "replicate"]
