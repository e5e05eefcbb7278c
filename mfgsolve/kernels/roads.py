"""Traffic on a road network: cheapest paths, and flow that shifts from dear paths to the cheapest one.

    t_l(x) = constant + coefficient (x / capacity)^power        time of a link l at its flow x
    c_p    = sum of t_l + fixed_l over the links of path p      cost of a path, of the drivers of one class
    shift  = (c_p - c_q) / sum of t_l' over the links that p and q do not share       from p to the cheapest q

Legend: a *pair* is an origin, a destination and a class of drivers; pairs of one origin and class are a *group* and
share a tree of cheapest paths.  Paths of all pairs lie one behind the other: those of pair k are ``paths[k]`` to
``paths[k + 1]``, links of path p are ``links[begin[p]]`` to ``links[begin[p + 1]]`` (from the destination back), and
``flow`` is a number for each path.  Links behind those of the network, one a pair, stand for staying at home.
"""

from __future__ import annotations

import numpy as np

from mfgsolve.kernels import jit

NOBODY = 0  # of a mark


def _power(y, power):
    """y^power for y >= 0, the fourth power by products."""
    if power == 4.0:
        return (y * y) * (y * y)
    if power == 1.0:
        return y
    return y**power


def _prices(flow, constant, coefficient, capacity, power, time, slope):
    """Time of every link, and its derivative."""
    for k in range(flow.size):
        time[k], slope[k] = _price(flow[k], constant[k], coefficient[k], capacity[k], power[k])


def _price(x, constant, coefficient, capacity, power):
    """Time of a link and its derivative."""
    if coefficient == 0.0:
        return constant, 0.0
    y = max(x, 0.0) / capacity
    before = coefficient * _power(y, power - 1.0) if power != 1.0 else coefficient
    return constant + before * y, power * before / capacity


def _tree(origin, first, out, head, through, cost, distance, last, heap, place):
    """Dijkstra's algorithm by a binary heap: distance of every node, and the link by which its path comes in.

    Paths go on from a node where ``through`` holds, and from the origin.  ``place`` is where a node is in the heap, -1
    before it was, -2 after.
    """
    for v in range(distance.size):
        distance[v], last[v], place[v] = np.inf, -1, -1
    distance[origin], heap[0], place[origin], size = 0.0, origin, 0, 1
    while size > 0:
        v = heap[0]
        place[v] = -2
        size -= 1
        if size > 0:
            _sink(heap[size], size, distance, heap, place)
        if v != origin and not through[v]:
            continue
        for k in range(first[v], first[v + 1]):
            link = out[k]
            w, new = head[link], distance[v] + cost[link]
            if new < distance[w]:
                distance[w], last[w] = new, link
                if place[w] == -1:
                    place[w] = size
                    size += 1
                _rise(w, place[w], distance, heap, place)


def _sink(v, size, distance, heap, place):
    """Put a node at the root, and let it sink."""
    i = 0
    while True:
        child = 2 * i + 1
        if child >= size:
            break
        if child + 1 < size and distance[heap[child + 1]] < distance[heap[child]]:
            child += 1
        if distance[heap[child]] >= distance[v]:
            break
        heap[i] = heap[child]
        place[heap[i]] = i
        i = child
    heap[i] = v
    place[v] = i


def _rise(v, i, distance, heap, place):
    """Let a node rise from place i."""
    while i > 0:
        parent = (i - 1) // 2
        if distance[heap[parent]] <= distance[v]:
            break
        heap[i] = heap[parent]
        place[heap[i]] = i
        i = parent
    heap[i] = v
    place[v] = i


def _cost_of(p, begin, links, cost):
    total = 0.0
    for j in range(begin[p], begin[p + 1]):
        total += cost[links[j]]
    return total


def _is_path(p, begin, links, end, last, tail, origin):
    """Whether a path is the one of the tree."""
    v = end
    for j in range(begin[p], begin[p + 1]):
        if v == origin or last[v] != links[j]:
            return False
        v = tail[links[j]]
    return v == origin


def _columns(groups, origin, kind, end, demand, stay, first, out, tail, head, through, time, fixed, paths, begin, links, flow):
    """Cheapest paths at these times: each pair keeps the paths that are in use, and gets the cheapest where it is new.

    ``groups`` (groups + 1,) are pairs, ``origin`` and ``kind`` (class) of each; ``end``, ``demand`` and ``stay`` (the
    link of staying at home, -1) of each pair; ``fixed`` (classes, links).  Returns the least cost of each pair, the
    excess sum flow (c_p - least), and the new paths, begin, links, flow.
    """
    nodes, pairs, many = first.size - 1, end.size, time.size
    distance, last = np.empty(nodes), np.empty(nodes, np.int64)
    heap, place, cost = np.empty(nodes, np.int64), np.empty(nodes, np.int64), np.empty(many)
    least, excess = np.empty(pairs), 0.0
    new_paths, new_begin = np.zeros(pairs + 1, np.int64), np.zeros(begin.size + 2 * pairs, np.int64)
    new_links, new_flow = np.empty(links.size + 64 * pairs + nodes, np.int64), np.empty(begin.size + 2 * pairs)
    count, used = 0, 0
    for g in range(origin.size):
        for k in range(many):
            cost[k] = time[k] + (fixed[kind[g], k] if k < fixed.shape[1] else 0.0)
        _tree(origin[g], first, out, head, through, cost, distance, last, heap, place)
        for k in range(groups[g], groups[g + 1]):
            reached = distance[end[k]]
            best = min(reached, cost[stay[k]]) if stay[k] >= 0 else reached
            there, cheapest = False, np.inf
            for p in range(paths[k], paths[k + 1]):
                c = _cost_of(p, begin, links, cost)
                excess += flow[p] * (c - best)
                at_home = stay[k] >= 0 and links[begin[p]] == stay[k]
                if flow[p] <= 0.0 and not at_home:
                    continue
                there = there or _is_path(p, begin, links, end[k], last, tail, origin[g])
                cheapest = min(cheapest, c)
                length = begin[p + 1] - begin[p]
                while used + length + nodes > new_links.size:
                    new_links = _longer(new_links)
                new_links[used : used + length] = links[begin[p] : begin[p + 1]]
                new_flow[count] = flow[p]
                used += length
                count += 1
                new_begin[count] = used
            is_first = new_paths[k] == count
            if is_first and stay[k] >= 0:
                while used + 1 + nodes > new_links.size:
                    new_links = _longer(new_links)
                new_links[used], new_flow[count] = stay[k], demand[k]
                used += 1
                count += 1
                new_begin[count] = used
            if reached < np.inf and not there and (reached < cheapest or is_first):
                v = end[k]
                while used + nodes > new_links.size:
                    new_links = _longer(new_links)
                while v != origin[g]:
                    new_links[used] = last[v]
                    v = tail[last[v]]
                    used += 1
                new_flow[count] = demand[k] if is_first and stay[k] < 0 else 0.0
                count += 1
                new_begin[count] = used
            least[k] = best
            new_paths[k + 1] = count
    return least, excess, new_paths, new_begin[: count + 1].copy(), new_links[:used].copy(), new_flow[:count].copy()


def _longer(links):
    result = np.empty(2 * links.size, np.int64)
    result[: links.size] = links
    return result


def _loads(groups, kind, paths, begin, links, flow, by_class):
    """Flow of every link, (classes, links), from those of the paths."""
    by_class[:] = 0.0
    for g in range(kind.size):
        for p in range(paths[groups[g]], paths[groups[g + 1]]):
            for j in range(begin[p], begin[p + 1]):
                by_class[kind[g], links[j]] += flow[p]


def _shifts(passes, enough, groups, kind, fixed, paths, begin, links, flow, x, constant, coefficient, capacity, power, time, slope):
    """Newton shifts to the cheapest path of every pair, pair after pair, each at the times that the last one left.

    Stops after ``passes``, or once the excess sum flow (c_p - c_q) seen in a pass is ``enough``.  Changes ``flow``, and
    with it ``x``, ``time`` and ``slope`` of the links.  Returns the passes made.
    """
    mark, stamp = np.zeros(x.size, np.int64), NOBODY
    for number in range(passes):
        excess = 0.0
        for g in range(kind.size):
            extra, known = fixed[kind[g]], fixed.shape[1]
            for k in range(groups[g], groups[g + 1]):
                if paths[k + 1] - paths[k] < 2:
                    continue
                best, least = -1, np.inf
                for p in range(paths[k], paths[k + 1]):
                    c = _both(p, begin, links, time, extra, known)
                    if c < least:
                        best, least = p, c
                stamp += 2
                for j in range(begin[best], begin[best + 1]):
                    mark[links[j]] = stamp
                for p in range(paths[k], paths[k + 1]):
                    if p == best or flow[p] <= 0.0:
                        continue
                    gap = _both(p, begin, links, time, extra, known) - _both(best, begin, links, time, extra, known)
                    if gap <= 0.0:
                        continue
                    excess += flow[p] * gap
                    bend = 0.0
                    for j in range(begin[p], begin[p + 1]):
                        if mark[links[j]] == stamp:
                            mark[links[j]] = stamp + 1  # on both
                        else:
                            bend += slope[links[j]]
                    for j in range(begin[best], begin[best + 1]):
                        if mark[links[j]] == stamp:
                            bend += slope[links[j]]
                    moved = flow[p] if gap >= flow[p] * bend else gap / bend
                    flow[p] = flow[p] - moved if moved < flow[p] else 0.0
                    flow[best] += moved
                    for j in range(begin[p], begin[p + 1]):
                        link = links[j]
                        if mark[link] != stamp + 1:
                            x[link] -= moved
                            time[link], slope[link] = _price(
                                x[link], constant[link], coefficient[link], capacity[link], power[link]
                            )
                    for j in range(begin[best], begin[best + 1]):
                        link = links[j]
                        if mark[link] == stamp:
                            x[link] += moved
                            time[link], slope[link] = _price(
                                x[link], constant[link], coefficient[link], capacity[link], power[link]
                            )
                        mark[link] = stamp
        if excess <= enough:
            return number + 1
    return passes


def _both(p, begin, links, time, extra, known):
    """Cost of a path: times and what is fixed."""
    total = 0.0
    for j in range(begin[p], begin[p + 1]):
        link = links[j]
        total += time[link] + (extra[link] if link < known else 0.0)
    return total


_power = jit(_power)
_price = jit(_price)
prices = jit(_prices)
_sink = jit(_sink)
_rise = jit(_rise)
_tree = jit(_tree)
tree = _tree
_cost_of = jit(_cost_of)
_is_path = jit(_is_path)
_longer = jit(_longer)
_both = jit(_both)
columns = jit(_columns)
loads = jit(_loads)
shifts = jit(_shifts)
