#!/usr/bin/env python3
"""Prints the stored rows of cast.optest for the dtypes dyn8 and udyn8: the dynamic code as the paper (arXiv 2110.02861)
and its authors' library build it, and the nearest value of each number; without a sign only 0 becomes 0. Needs
NumPy."""
import numpy as np


def dynamic_map(signed):
    values = [0.0, 1.0]
    for i in range(7):
        edges = np.linspace(0.1, 1, (2**i if signed else 2 ** (i + 1)) + 1)
        means = (edges[:-1] + edges[1:]) / 2 * 10.0 ** (i - 6)
        values += list(means) + (list(-means) if signed else [])
    return np.sort(np.array(values, np.float32))


def words(values):
    return "{" + ", ".join(repr(float(v)) if isinstance(v, np.floating) else str(int(v)) for v in values) + "}"


for signed in (True, False):
    code, name = dynamic_map(signed), "dyn8" if signed else "udyn8"
    assert len(code) == 256
    random = np.random.default_rng(3)
    x = np.float32(random.standard_normal(24) * 10.0 ** random.integers(-6, 1, 24))
    x = x if signed else abs(x)
    scale = x[np.argmax(abs(x))]
    nearest = [np.argmin(abs(code.astype(np.float64) - np.float64(v / scale))) for v in x]
    if not signed:
        nearest = [max(n, 1) if v > 0 else 0 for n, v in zip(nearest, x)]
    print(f'x:f32[24] = {words(x)} {{dtype="{name}"}} -> {name}[24] = {words([code[n] * scale for n in nearest])}  nograd')
