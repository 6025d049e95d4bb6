"""How rounds become figures: medians, percentiles, noise, growth. No I/O."""

import math
import statistics
from collections.abc import Sequence

REACHED, NEAR, MISSED = "reached", "above 0.8", "missed"
ENOUGH = 0.8
"""The part of a figure below which a check fails."""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that ``share`` (0 to 1) of all are not above; 0 for no values."""
    if not values:
        return 0.0
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def noise(values: Sequence[float]) -> float:
    """Return half the distance between the quartiles as a part of the median; 0 for fewer than two values."""
    if len(values) < 2:
        return 0.0
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / 2 / middle if middle else 0.0


def ratio(own: Sequence[float], yardstick: Sequence[float]) -> float:
    """Return the median of all rounds to the median of all rounds of the yardstick."""
    return statistics.median(own) / statistics.median(yardstick)


def ratio_noise(own: Sequence[float], yardstick: Sequence[float]) -> float:
    """Return how far off the ratio may be, as a part of it: both noises, which know nothing of each other."""
    return math.hypot(noise(own), noise(yardstick))


def verdict(figure: float, target: float) -> str:
    """Say how a figure, of which more is better, compares with its target."""
    if figure >= target:
        return REACHED
    return NEAR if figure >= ENOUGH * target else MISSED


def within(figure: float, limit: float) -> str:
    """The same for a figure of which less is better."""
    return verdict(limit, figure) if figure else REACHED


def below(figure: float, kept: float) -> bool:
    """Whether a figure is too far below the one that was kept."""
    return figure < ENOUGH * kept


def growth(costs: Sequence[float]) -> float:
    """Return the last of several costs to the first; costs below one unit count as one."""
    return max(costs[-1], 1.0) / max(costs[0], 1.0)


def arrivals(rate: float, seconds: float, shift: float = 0.0) -> list[float]:
    """Return when requests are due that come at a constant rate: seconds from the beginning.

    ``shift`` is a part of the distance between two of them.
    """
    return [(number + shift) / rate for number in range(round(rate * seconds))]
