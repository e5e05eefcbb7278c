"""How policies stand in datasets, and how arrays of users are put in order."""

import numpy as np
import pytest
import xarray as xr

import mfgsolve as mfg
from mfgsolve.steps.policies import Average, PolicyForm, PolicyVariable

SPACE, TIME = mfg.States(["left", "right"]), mfg.TimeGrid(3.0, 3)
FORM = PolicyForm("policy", "action", ("stay", "go"), "what is done")
VALUES = np.arange(12.0).reshape(3, 2, 2)


def labelled(**changes):
    coords = {"step": TIME.nodes[:-1], "action": ["stay", "go"], "state": ["left", "right"]} | changes
    return xr.DataArray(VALUES, coords, ("step", "action", "state"), name="policy")


def test_labels_put_an_array_in_order():
    turned = labelled().transpose("state", "action", "step").isel(action=[1, 0], step=[2, 0, 1], state=[1, 0])
    for given in (turned, turned.to_dataset()):
        np.testing.assert_array_equal(FORM.array_of(given, SPACE, TIME), VALUES)
    plain = VALUES[:, ::-1]
    assert FORM.array_of(plain, SPACE, TIME) is plain  # what has no labels is taken as it is


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (xr.Dataset({"plan": labelled()}), r"variables \['plan'\]; one named 'policy' is needed"),
        (labelled().drop_vars("action"), r"no coordinate action; the actions \['stay', 'go'\], in any order"),
        (labelled(action=["stay", "fly"]), "action"),
        (labelled(step=[0.0, 1.0, 1.5]), "step"),
    ],
)
def test_other_labels_are_refused(given, says):
    with pytest.raises(mfg.InputError, match=says):
        FORM.array_of(given, SPACE, TIME)


def test_a_policy_is_a_variable_with_its_coordinate_and_what_explains_it():
    companion = {"unit_price": ("action", [1.0, 2.0], {"units": "1"})}
    one = PolicyVariable(FORM, ("step", "action", "state"), VALUES, {"units": "1"}, companion)
    data = xr.Dataset(one.variables, one.coordinates)
    assert one.name == "policy"
    assert list(data["action"].values) == ["stay", "go"]
    assert data["action"].attrs["long_name"] == "what is done"
    assert data["policy"].dims == ("step", "action", "state")
    assert set(data.data_vars) == {"policy", "unit_price"}


def test_the_slope_of_an_own_cost_is_bounded_by_its_difference():
    class Mean(Average):
        def arrays(self):
            return {}

        def mix(self, game, policy, crowd, length):
            pass

    slope = Mean().own_slope(None, VALUES, VALUES, -0.3)
    assert slope(0.0) == slope(0.7) == -0.3
