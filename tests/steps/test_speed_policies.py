"""Speeds of diffusions in their three forms, by hand, and what of a user's is refused."""

import numpy as np
import pytest

import mfgsolve as mfg
from mfgsolve.steps.mesh import Mesh
from mfgsolve.steps.scheme import make_scheme
from mfgsolve.steps.speed_policies import FluxPolicy, SpeedPolicy, ValuePolicy, face_flux

STEPS, H, DT, C = 2, 0.25, 0.05, 0.5
CAP = H / (2 * DT)
NOW = slice(0, 1)


@pytest.fixture(scope="module")
def mesh():
    """Four cells in a row between walls."""
    grid = mfg.Grid.box((4,))
    return Mesh(make_scheme(grid, mfg.TimeGrid(STEPS * DT, STEPS), 0.0, "implicit", C, 1), grid.dims, grid.shape, STEPS)


VALUE = np.array([1.0, 0.9, 0.9, 9.0]).reshape(1, 1, 1, 4)
SPEEDS = np.array([[0.1 / (H * C), 0, 0, 0], [0, 0, 0, CAP]]).reshape(1, 2, 1, 1, 4)  # x+, x-


def test_a_best_response_goes_down_the_value_up_to_the_cap(mesh):
    np.testing.assert_allclose(ValuePolicy(VALUE).speed(mesh, NOW), SPEEDS)


def test_mass_through_a_face_is_upwind(mesh):
    mass = np.array([0.4, 0.3, 0.2, 0.1]).reshape(1, 1, 1, 4)
    flux = face_flux(mesh, NOW, VALUE, mass, 3)
    crossing = [DT * SPEEDS[0, 0, 0, 0, 0] / H * 0.4, 0.0, -DT * CAP / H * 0.1, 0.0]
    np.testing.assert_allclose(flux.reshape(-1), crossing, atol=1e-16)


def test_a_flux_over_its_mass_is_a_speed(mesh):
    """Half of the mean stays, half follows the value: half the speed where both have the same mass."""
    mass = np.full((STEPS + 1, 1, 1, 4), 0.25)
    flux = np.zeros((STEPS, 1, 1, 4))
    flux[0] = 0.5 * face_flux(mesh, NOW, VALUE, mass[:1], 3)
    policy = FluxPolicy(mass, [flux])
    np.testing.assert_allclose(policy.speed(mesh, NOW), 0.5 * SPEEDS)
    assert not policy.speed(mesh, slice(1, 2)).any()
    mass[0, ..., 3] = 0.0
    assert policy.speed(mesh, NOW)[0, 1].max() == 0.0  # nobody there, nobody moves
    assert set(policy.arrays()) == {"crowd", "flux_0"}


def test_speeds_of_a_user_are_taken_as_they_are(mesh):
    given = np.zeros((STEPS, 2, 4))
    given[0] = SPEEDS[0].reshape(2, 4)
    policy = SpeedPolicy.checked(given, mesh)
    np.testing.assert_array_equal(policy.speed(mesh, NOW), SPEEDS)


def put(place, value):
    given = np.zeros((STEPS, 2, 4))
    given[place] = value
    return given


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (np.zeros((STEPS, 2, 5)), r"shape \(2, 2, 5\); \(step, move, ...\) = \(2, 2, 4\) is needed"),
        (put((0, 0, 1), np.nan), "toward x. that is not finite"),
        (put((1, 1, 2), -0.1), "negative speed toward x- .-0.1."),
        (put((0, 0, 1), 1.001 * CAP), "cap is 2.5: take more time steps"),
        (put((0, 0, 3), 0.1), "toward x. through a wall"),
        (put((0, 1, 0), 0.1), "toward x- through a wall"),
    ],
)
def test_speeds_that_are_none_are_refused(mesh, given, says):
    with pytest.raises(mfg.InputError, match=says):
        SpeedPolicy.checked(given, mesh)
