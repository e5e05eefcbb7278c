"""Games as environments: sampled step by step, and as Gymnasium and PettingZoo know them."""
