"""What is asked of a dataset that was read: policies of the entropic scheme, spoilt one by one."""

import numpy as np
import pytest
from entropic_games import solved
from rewritten import rewrite

import mfgsolve as mfg


@pytest.fixture
def plan(tmp_path):
    return solved("plane").save(tmp_path / "plan.nc")


def test_a_whole_file_is_read_as_it_was(plan):
    back, solution = mfg.load(plan), solved("plane")
    assert back.certificate == solution.certificate or np.isnan(solution.certificate.cap_fraction)
    for name in solution.dataset:
        assert back.dataset[name].equals(solution.dataset[name]), name


def spoil(name, value):
    """A change of one number of a variable, where agents may be."""

    def change(dataset):
        values = dataset[name].values.copy()
        values[..., 0, 0] = value
        return dataset.assign({name: (dataset[name].dims, values, dataset[name].attrs)})

    return change


def without(attribute):
    def change(dataset):
        del dataset["value_ahead"].attrs[attribute]

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (spoil("value_ahead", np.nan), "has 'value_ahead' with nan in it"),
        (spoil("value_ahead", np.inf), "has 'value_ahead' with inf in it"),
        (spoil("velocity", np.nan), "has 'velocity' with nan in it"),
        (lambda d: d.drop_vars("value_ahead"), "velocity"),
        (lambda d: d.drop_vars("direction"), "has no coordinate 'direction'"),
        (lambda d: d.assign(value_ahead=d.value_ahead.transpose("x", "step", "y")), "'value_ahead' as float64 on"),
        (without("viscosity"), "'value_ahead' without a positive 'viscosity'"),
        (without("control_cost"), "'value_ahead' without a positive 'control_cost'"),
        (lambda d: d.value_ahead.attrs.update(viscosity=-1.0) or d, "without a positive 'viscosity'"),
        (lambda d: d.value_ahead.attrs.update(control_cost="cheap") or d, "without a positive 'control_cost'"),
    ],
)
def test_spoilt_policies(plan, change, said):
    rewrite(plan, change)
    if said == "velocity":  # a picture may live without; who asks for the policy is told
        with pytest.raises(mfg.InputError, match="policy is a velocity"):
            mfg.exploitability(solved("plane").problem, mfg.load(plan))
        return
    with pytest.raises(mfg.FileError, match=said):
        mfg.load(plan)
