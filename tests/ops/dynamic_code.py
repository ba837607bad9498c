#!/usr/bin/env python3
"""Prints the stored rows of quantize_blocks.optest and dequantize_blocks.optest: the dynamic code as the paper
(arXiv 2110.02861) and its authors' library build it, and the nearest code of each number. Needs NumPy."""
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
    code, option = dynamic_map(signed), "" if signed else " {signed=false}"
    assert len(code) == 256
    random = np.random.default_rng(3)
    x = np.float32(random.standard_normal(24) * 10.0 ** random.integers(-6, 1, 24))
    x = x if signed else abs(x)
    scale = x[np.argmax(abs(x))]
    nearest = [np.argmin(abs(code.astype(np.float64) - np.float64(v / scale))) for v in x]
    print(f"x:f32[24] = {words(x)}{option} -> u8[24] = {words(nearest)}; f32[1] = {words([scale])}  nograd")
    bytes_ = [0, 1, 2, 3, 64, 100, 120, 126, 127, 128, 129, 140, 190, 191, 192, 253, 254, 255]
    print(f"codes:u8[18] = {words(bytes_)} scales:f32[1] = {{2}}{option} -> f32[18] = {words(2 * code[bytes_])}  nograd")
