"""Prints what scikit-learn's TargetEncoder makes of a small table, for target_encoding_test.cpp.

    python tests/unit/task/target_encoding.py     (scikit-learn 1.9)

The test holds (encoding - mean of all) / population deviation of all, as our table has it.
"""
import numpy as np
from sklearn.preprocessing import TargetEncoder

words = np.array([i * i % 7 % 4 if i % 5 else 3 for i in range(40)])  # 4 words
number = np.array([((i * 37) % 23) / 4 + words[i] * 1.5 + 1000 for i in range(40)])
truth = np.array([(i * 11 % 13 + words[i] * 3) > 9 for i in range(40)]).astype(int)
kind = np.array([(i * 5 % 11 + words[i]) % 3 for i in range(40)])

print("rows of each word", np.bincount(words))
for name, target, target_type in (("number", number, "continuous"), ("truth", truth, "binary"), ("kind", kind, "multiclass")):
    for smooth in (10.0, 0.0, "auto"):
        encoder = TargetEncoder(smooth=smooth, target_type=target_type)
        encoder.fit(words[:, None], target)
        columns = [target] if target_type != "multiclass" else [target == k for k in range(3)]
        for column, encodings in zip(columns, encoder.encodings_):
            column = column.astype(float)
            values = (encodings - column.mean()) / column.std()
            print(name, smooth, "{" + ", ".join(f"{v:.7f}" for v in values) + "}")
