"""The forecaster once more, in Python: the same operations in the same order, so the same bits."""

from __future__ import annotations

DAY, WEEK = 24, 168


def mean_back(loads: list[float], newest: int, season: int, count: int) -> float:
    differences = 0.0
    for age in range(1, count):
        differences += loads[newest - age * season] - loads[newest]
    return max(loads[newest] + differences / count, 0.0)


def season_of(loads: list[float]) -> int:
    if len(loads) < 2 * WEEK:
        return DAY
    first = second = 0.0
    for hour in range(WEEK):
        first += loads[hour]
        second += loads[WEEK + hour]
    if first == 0.0:
        return DAY
    scale = second / first
    by_day = by_week = 0.0
    for hour in range(WEEK):
        usual = mean_back(loads, WEEK - DAY + hour % DAY, DAY, 7)
        by_day += abs(loads[WEEK + hour] - scale * usual)
        by_week += abs(loads[WEEK + hour] - scale * loads[hour])
    return WEEK if by_week < by_day else DAY


def forecast(history: list[float], hours: int) -> list[float]:
    loads = history[-2 * WEEK :]
    season = season_of(loads)

    def usual(back: int) -> float:
        return mean_back(loads, len(loads) - 1 - back, season, len(loads) // season)

    was = whole = 0.0
    for back in range(season):
        was += loads[len(loads) - 1 - back]
        whole += usual(back)
    level = was / whole if whole > 0.0 else 1.0
    return [level * usual(season - 1 - ahead % season) for ahead in range(hours)]
