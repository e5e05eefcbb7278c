"""Shared cars of Montreal meet a demand that moves through the day: real zones, kilometres and hours."""

from __future__ import annotations

import functools
from importlib import resources

from mfgsolve.dynamics import ControlledDiffusion
from mfgsolve.grids import Grid, TimeGrid
from mfgsolve.problem import Problem
from mfgsolve.problems.point_table import Points, read_points
from mfgsolve.problems.points import PointDemand, SpreadLike
from mfgsolve.problems.registry import named

DAY = 24.0
BOUNDS = [(-11.0, 12.0), (-14.0, 9.0)]  # km, y then x: all zones and two kilometres around them
COLUMNS = {"x": "centroid_lon", "y": "centroid_lat", "size": "car_hours", "hour": "peak_hour"}


@functools.cache
def zones() -> Points:
    """249 zones: x, y in km from the mean of their centres, size the car hours of a month, hour that of their peak."""
    table = resources.files("mfgsolve.problems") / "data" / "montreal-carshare.csv"
    with resources.as_file(table) as path:
        return read_points(path, COLUMNS, degrees=True)


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
    demand = PointDemand(zones(), width, reward, rhythm, DAY)
    return Problem(
        grid=Grid.box(shape, bounds=BOUNDS, unit="km"),
        time=TimeGrid(DAY, steps, unit="h"),
        dynamics=ControlledDiffusion(viscosity, control_cost, scheme=scheme),
        coupling=demand.coupling(congestion),
        initial=SpreadLike(demand),
        normalise=True,
        sense="reward",
        track=demand.centre,
        sites=demand.sites,
    )
