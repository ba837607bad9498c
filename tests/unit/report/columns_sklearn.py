#!/usr/bin/env python3
"""The numbers in columns_test.cpp, of the same rows: from scikit-learn's analysis of variance and SciPy's entropies."""
import numpy as np
from scipy.special import rel_entr
from sklearn.feature_selection import f_classif

i = np.arange(600)
group = i * 7 % 5
value = (i * 37 % 101) / 10 + group
kind = (i * 13 % 17 + 4 * group) // 9 % 3


def epsilon_squared(values):
    f = f_classif(values.reshape(-1, 1), group)[0][0]
    n, k = len(values), 5
    eta = f * (k - 1) / (f * (k - 1) + n - k)
    return 1 - (1 - eta) * (n - 1) / (n - k), values.var()


print("number", "%.12g" % epsilon_squared(value)[0])
# Goodman and Kruskal's tau: of each class's indicator, weighted by its variance.
parts = [epsilon_squared((kind == c).astype(float)) for c in range(3)]
print("classes", "%.12g" % (sum(e * v for e, v in parts) / sum(v for _, v in parts)))
expected, actual = np.array([400, 300, 200, 100]), np.array([100, 150, 150, 0])
p, q = (expected + 0.5) / (expected.sum() + 2), (actual + 0.5) / (actual.sum() + 2)
print("index", "%.12g" % ((rel_entr(p, q) + rel_entr(q, p)).sum() - 3 * (1 / expected.sum() + 1 / actual.sum())))
