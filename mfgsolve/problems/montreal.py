"""Shared cars of Montreal meet a demand that moves through the day: real zones, kilometres and hours."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from importlib import resources

import numpy as np

from mfgsolve.couplings import Congestion
from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.errors import InputError
from mfgsolve.fields import Separable
from mfgsolve.grids import Coordinates, Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.registry import named

EARTH_RADIUS = 6371.0088  # km, mean radius
DAY = 24.0
BOUNDS = [(-11.0, 12.0), (-14.0, 9.0)]  # km, y then x: all zones and two kilometres around them


@dataclass(frozen=True, eq=False)
class Zones:
    """249 zones: x, y in km from their mean, car_hours over the month, peak_hour 0 to 23."""

    x: np.ndarray
    y: np.ndarray
    car_hours: np.ndarray
    peak_hour: np.ndarray

    @property
    def share(self) -> np.ndarray:
        """Share of all car hours, per zone."""
        return np.asarray(self.car_hours / self.car_hours.sum())

    def overlap(self, width: float) -> float:
        """Integral of the squared density of the zones, each a Gaussian of standard deviation ``width``; per km^2."""
        square = (self.x[:, None] - self.x) ** 2 + (self.y[:, None] - self.y) ** 2
        near = np.exp(-square / (4 * width**2)) / (4 * math.pi * width**2)
        return float(self.share @ near @ self.share)

    def maps(self, c: Coordinates, width: float) -> np.ndarray:
        """Density of the zones by peak hour, (24, *shape), per km^2; the sum of all has mass 1 over the plane."""
        out = np.zeros((24, *c.x.shape))
        for x, y, share, hour in zip(self.x, self.y, self.share, self.peak_hour, strict=True):
            out[hour] += share * np.exp(-((c.x - x) ** 2 + (c.y - y) ** 2) / (2 * width**2))
        return np.asarray(out / (2 * math.pi * width**2))


@functools.cache
def zones() -> Zones:
    """The zones, projected equirectangularly about the mean of their centres (x to the east, y to the north)."""
    file = resources.files("mfgsolve.problems") / "data" / "montreal-carshare.csv"
    rows = np.loadtxt(file.read_text(encoding="utf-8").splitlines(), delimiter=",", skiprows=1)
    latitude, longitude = np.radians(rows[:, 0]), np.radians(rows[:, 1])
    x = EARTH_RADIUS * math.cos(latitude.mean()) * (longitude - longitude.mean())
    y = EARTH_RADIUS * (latitude - latitude.mean())
    return Zones(x, y, rows[:, 2], rows[:, 3].astype(int))


@dataclass(frozen=True)
class DailyDemand:
    """Maps of the zones by peak hour, weighted by profiles of the day; see `montreal`."""

    reward: float
    width: float
    rhythm: float

    def profile(self, times: np.ndarray) -> np.ndarray:
        """exp(rhythm cos(2 pi (t - hour) / 24)) / I_0(rhythm), (times, 24): circular, mean 1 over the day."""
        angle = 2 * math.pi * (np.asarray(times)[:, None] - np.arange(24)) / DAY
        return np.asarray(np.exp(self.rhythm * np.cos(angle)) / np.i0(self.rhythm))

    def maps(self, c: Coordinates) -> np.ndarray:
        return zones().maps(c, self.width) * (self.reward / zones().overlap(self.width))

    def centre(self, t: float) -> np.ndarray:
        """Mean place of the demand at time t, (x, y) in km."""
        z = zones()
        weight = z.share * self.profile(np.array([t]))[0][z.peak_hour]
        return np.array([weight @ z.x, weight @ z.y]) / float(weight.sum())


@dataclass(frozen=True)
class Parked:
    """Density of cars in proportion to the car hours of the zones."""

    width: float

    def __call__(self, t: float, c: Coordinates) -> np.ndarray:
        return np.asarray(zones().maps(c, self.width).sum(axis=0))


@named(group="space")
def montreal(
    *,
    shape: tuple[int, int] = (64, 64),
    steps: int | None = None,
    scheme: str | None = None,
    reward: float = 1.0,
    congestion: float = 150.0,
    control_cost: float = 0.1,
    viscosity: float = 0.1,
    width: float = 1.0,
    rhythm: float = 2.0,
) -> Problem:
    """Shared cars on the map of Montreal meet demand that moves through the day: 249 real zones, 24 hours.

    A car at X earns r(t, X) / (1 + congestion rho) per hour, rho the density of cars (their total is 1), and pays
    control_cost |a|^2 / 2 per hour for moving at a km/h.  Every zone is a Gaussian bump of standard deviation
    ``width``, weighted by its share of the car hours and by a profile of the day that peaks, circularly, at its peak
    hour:

        r(t, X) = reward / Q sum_z share_z exp(rhythm cos(2 pi (t - peak_z) / 24)) / I_0(rhythm) G_width(X - X_z)

    Q = integral of (sum_z share_z G_width(X - X_z))^2 makes ``reward`` the mean over the day and over the cars as they
    start (spread like the car hours) of what a car would earn alone.  Degrees become kilometres by the equirectangular
    projection about the mean of the zones' centres: x = R cos(lat_0) (lon - lon_0), y = R (lat - lat_0),
    R = 6371.0088 km; the box is 23 km x 23 km.  Time runs from midnight to midnight.

    The data tell at which hour the *availability* of cars peaks in a zone; the game takes that hour for the one at
    which the zone's demand for them peaks.  Water and streets are not modelled: cars diffuse and drive in the plane.

    Parameters
    ----------
    shape : cells (ny, nx) [cells]
    steps : time steps; by default as many as the speeds of the game ask for [steps]
    scheme : "entropic" or "upwind"; by default what suits, see `ControlledDiffusion` [name]
    reward : mean earning of a car alone in an hour [earning / h]
    congestion : the reward is halved where the density is 1 / congestion: all cars on that area [km^2]
    control_cost : an hour at 1 km/h costs half of it; crossing 10 km in 2 h costs 25 times it [earning h / km^2]
    viscosity : half the variance that noise adds in an hour, per axis [km^2 / h]
    width : standard deviation of the demand of a zone in space [km]
    rhythm : how strongly demand follows the clock; at 0 it is constant [1]

    Source: example data set carshare of plotly.py (MIT licence): zones, car hours and peak hours of one month
    """
    if not (reward >= 0 and width > 0 and rhythm >= 0):
        raise InputError(
            f"montreal has reward {reward}, width {width} and rhythm {rhythm}; the width must be positive, "
            "reward and rhythm at least zero"
        )
    z, demand = zones(), DailyDemand(reward, width, rhythm)
    return Problem(
        grid=Grid.box(shape, bounds=BOUNDS, unit="km"),
        time=TimeGrid(DAY, steps, unit="h"),
        dynamics=ControlledDiffusion(viscosity, control_cost, scheme=scheme),
        coupling=Congestion(Separable(demand.profile, demand.maps), congestion),
        initial=Parked(width),
        normalise=True,
        sense="reward",
        track=demand.centre,
        sites=np.column_stack([z.x, z.y, z.car_hours]),
    )
