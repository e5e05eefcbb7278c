"""Studies: many solves and simulations beside each other."""
