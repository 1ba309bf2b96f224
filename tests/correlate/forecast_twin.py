"""Forecasts, slow and obvious: each ratio by generalised least squares on the values themselves, with the whole
covariance matrix written out, and the mixture of them.
"""

from __future__ import annotations

from math import exp, log, sqrt
from typing import NamedTuple

import numpy as np

from engine.correlate.forecast import RATIOS, quantile

Points = list[tuple[int, float]]


class Ahead(NamedTuple):
    value: float
    variance: float
    likelihood: float


def of_ratio(points: Points, ahead: int, ratio: float) -> Ahead:
    """Universal kriging: a line, plus a random walk that is zero at the first point, plus noise."""
    times = np.array([at for at, _ in points], float) - points[0][0]
    values = np.array([value for _, value in points])
    goal = times[-1] + ahead
    covariance = ratio * np.minimum.outer(times, times) + (1 - ratio) * np.eye(len(points))
    if ratio == 1:
        covariance[0, 0] = 1e-9  # a walk is known where it begins; the matrix must have an inverse
    towards = ratio * np.minimum(times, goal)
    line = np.column_stack([np.ones(len(points)), times])
    inverse = np.linalg.inv(covariance)
    normal = np.linalg.inv(line.T @ inverse @ line)
    found = normal @ line.T @ inverse @ values
    left = values - line @ found
    unit = float(left @ inverse @ left) / (len(points) - 2)
    value = np.array([1, goal]) @ found + towards @ inverse @ left
    gap = np.array([1, goal]) - line.T @ inverse @ towards
    own = ratio * goal + (1 - ratio)
    variance = unit * float(own - towards @ inverse @ towards + gap @ normal @ gap)
    logs = np.linalg.slogdet(covariance)[1] - np.linalg.slogdet(normal)[1]
    return Ahead(float(value), variance, -0.5 * ((len(points) - 2) * log(unit) + float(logs)))


def forecast(points: Points, ahead: int, confidence: float) -> tuple[float, float, float]:
    """(value, low, high)."""
    all_ = [of_ratio(points, ahead, ratio) for ratio in RATIOS]
    most = max(each.likelihood for each in all_)
    weights = [exp(each.likelihood - most) for each in all_]
    value = sum(weight * each.value for weight, each in zip(weights, all_, strict=True)) / sum(weights)
    second = [each.variance + (each.value - value) ** 2 for each in all_]
    variance = sum(weight * each for weight, each in zip(weights, second, strict=True)) / sum(weights)
    margin = quantile(confidence, (len(points) - 2) / 4) * sqrt(variance)
    return value, value - margin, value + margin
