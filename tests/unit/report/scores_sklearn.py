#!/usr/bin/env python3
"""What scikit-learn says of the scores in scores_test.cpp; prints scores_sklearn.h. Run once, with scikit-learn 1.x."""
import numpy as np
from sklearn.calibration import calibration_curve
from sklearn.metrics import (average_precision_score, brier_score_loss, confusion_matrix, precision_recall_curve,
                             roc_auc_score)


def rows(n):
    i = np.arange(n, dtype=np.int64)
    score = ((i * 7919 + 13) % 1009 / 1008).astype(np.float32)
    truth = (i * 104729 % 997) / 996 < score.astype(np.float64) ** 2
    return truth, score


def table(name, values):
    print(f"inline constexpr double {name}[][{len(values[0])}] = {{")
    for row in values:
        print("    {" + ", ".join(f"{v:.10g}" for v in row) + "},")
    print("};")


print("// Made by scores_sklearn.py.\n#pragma once\n")
for name, n in ("Few", 3000), ("Many", 100_000):
    truth, score = rows(n)
    p, r, t = precision_recall_curve(truth, score)
    f1 = 2 * p * r / np.maximum(p + r, 1e-300)
    best = len(f1) - 1 - np.argmax(f1[::-1])
    shares, means = calibration_curve(truth, score, n_bins=10, strategy="uniform")
    counts = np.bincount(np.searchsorted(np.linspace(0, 1, 11)[1:-1], score), minlength=10)
    table(f"k{name}Areas", [[roc_auc_score(truth, score), average_precision_score(truth, score),
                             brier_score_loss(truth, score), f1[best], t[best]]])
    table(f"k{name}Calibration", list(zip(means, shares, counts)))
    # threshold, true positives, false positives
    table(f"k{name}Counts", [[t, *confusion_matrix(truth, score >= np.float32(t)).ravel()[[3, 1]]] for t in (0.9, 0.5, 0.25, 0.05)])
    # share of the rows, of the positives among them: sorted by score, ties in equal parts
    order = np.argsort(-score, kind="stable")
    expected = np.empty(n)
    for s in np.unique(score):
        expected[score == s] = truth[score == s].mean()
    gains = np.concatenate([[0], np.cumsum(expected[order])]) / truth.sum()
    table(f"k{name}Gains", [[q / 20, np.interp(n * q / 20, np.arange(n + 1), gains)] for q in (1, 2, 5, 10, 19)])
