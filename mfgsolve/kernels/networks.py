"""Small networks in single precision: what a step of learning does beside its products of matrices.

Legend: a row is an agent, or a transition that is learned from; ``values`` (row, action), ``temperature`` in their
units.  pi is the Boltzmann policy, pi(a) = e^(v(a) / temperature) / sum over b of e^(v(b) / temperature).
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit
from mfgsolve.kernels.elementary import exp

LEAST = -80.0  # of an exponent: what is below it has no weight in single precision


def _weigh(values, temperature, weights):
    """e^((v - max v) / temperature) of one row; returns their sum."""
    top = values[0]
    for a in range(1, values.size):
        top = max(top, values[a])
    sharpness, total = 1.0 / temperature, 0.0
    for a in range(values.size):
        weights[a] = exp(max((values[a] - top) * sharpness, LEAST))
    for a in range(values.size):
        total += weights[a]
    return total


weigh = jit(_weigh)


def _choose(values, temperature, points, actions):
    """An action for each row by the Boltzmann policy, where a uniform point of [0, 1) falls."""
    many = values.shape[1]
    weights = np.empty(many)
    for i in range(values.shape[0]):
        rest, action = points[i] * weigh(values[i], temperature, weights), 0
        for a in range(many):
            if rest >= 0.0:
                action = a
            rest -= weights[a]
        actions[i] = action


def _worth(judged, chosen_by, temperature, out):
    """sum over a of pi(a) judged(a), pi the Boltzmann policy of ``chosen_by``."""
    many = judged.shape[1]
    weights = np.empty(many)
    for i in range(judged.shape[0]):
        total, worth = weigh(chosen_by[i], temperature, weights), 0.0
        for a in range(many):
            worth += weights[a] * judged[i, a]
        out[i] = worth / total


def _bend(rows, shift, floor):
    """rows += shift, and what is negative is 0 if there is a ``floor``."""
    for i in range(rows.shape[0]):
        row = rows[i]
        if floor:
            for k in range(row.size):
                row[k] = max(row[k] + shift[k], 0)
        else:
            for k in range(row.size):
                row[k] += shift[k]


def _hold(push, layer):
    """What pushes an output that the floor holds at 0 is 0."""
    for i in range(push.shape[0]):
        row, out = push[i], layer[i]
        for k in range(row.size):
            row[k] = row[k] if out[k] > 0 else 0


def _total(rows, out):
    """The sum of all rows."""
    out[:] = 0
    for i in range(rows.shape[0]):
        row = rows[i]
        for k in range(row.size):
            out[k] += row[k]


def _correct(values, places, action, reward, ended, ahead, discount, push):
    """Gradient of Huber's loss, mean over the rows, by the values of the actions that were taken: (row, action).

    Row i of ``values`` is transition places[i]: it aims at reward + discount ahead(i), ahead 0 where a life ended;
    errors beyond 1 push as those of 1 do.
    """
    rows = values.shape[0]
    push[:, :] = 0
    for i in range(rows):
        k = places[i]
        aim = reward[k] if ended[k] else reward[k] + discount * ahead[i]
        push[i, action[k]] = min(max(values[i, action[k]] - aim, -1.0), 1.0) / rows


def _climb(logits, values, temperature, push):
    """Gradient of the loss of an actor, mean over the rows, by its logits, pi their softmax: that of

        - sum over a of pi(a) (clip(Q(a) - sum over b of pi(b) Q(b), -1, 1) - temperature log pi(a)),

    in which the clipped advantages stand still.
    """
    rows, many = logits.shape
    weights, gain = np.empty(many), np.empty(many)
    for i in range(rows):
        total, middle, mean, top = weigh(logits[i], 1.0, weights), 0.0, 0.0, logits[i, 0]
        for a in range(many):
            weights[a] /= total
            middle += weights[a] * values[i, a]
            top = max(top, logits[i, a])
        level = top + np.log(total)
        for a in range(many):
            gain[a] = min(max(values[i, a] - middle, -1.0), 1.0) - temperature * (logits[i, a] - level)
            mean += weights[a] * gain[a]
        for a in range(many):
            push[i, a] = -weights[a] * (gain[a] - mean) / rows


def _adam(weights, gradient, means, squares, target, step, count, follow):
    """A step of Adam (betas 0.9, 0.999), after which the target moves that share of the way to the weights."""
    first, second = 1.0 - 0.9**count, 1.0 - 0.999**count
    length, less, share = np.float32(step / first), np.float32(1.0 / second), np.float32(follow)
    tenth, thousandth, tiny = np.float32(0.1), np.float32(0.001), np.float32(1e-8)
    for i in range(weights.size):
        g = gradient[i]
        m = means[i] + tenth * (g - means[i])
        v = squares[i] + thousandth * (g * g - squares[i])
        w = weights[i] - length * m / (np.sqrt(v * less) + tiny)
        means[i], squares[i], weights[i] = m, v, w
        target[i] += share * (w - target[i])


choose, worth, bend, hold, total = jit(_choose), jit(_worth), jit(_bend), jit(_hold), jit(_total)
correct, climb, adam = jit(_correct), jit(_climb), jit(_adam)
