"""Games as environments: sampled step by step, and as Gymnasium and PettingZoo know them."""

import sys

from mfgsolve.methods import register_environments

if "gymnasium" in sys.modules:  # where its entry points are not looked at; else it asks for them itself
    register_environments()
