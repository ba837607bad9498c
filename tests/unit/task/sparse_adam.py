#!/usr/bin/env python3
"""torch.optim.SparseAdam on a table of six rows of three, three of which at most a step takes; one is taken twice.
Prints sparse_adam.txt: the table after each step.   python3 tests/unit/task/sparse_adam.py > …/sparse_adam.txt"""
import math

import torch

torch.set_default_dtype(torch.float64)
table = torch.nn.Parameter(torch.tensor([0.3 * math.sin(1.3 * i) for i in range(18)]).reshape(6, 3))
optimizer = torch.optim.SparseAdam([table], lr=0.1)
for step in range(5):
    rows = torch.tensor([step % 4, 4, step % 4])
    upstream = torch.tensor([math.cos(0.7 * i + step) for i in range(9)]).reshape(3, 3)
    optimizer.zero_grad()
    (torch.nn.functional.embedding(rows, table, sparse=True) * upstream).sum().backward()
    optimizer.step()
    print(" ".join(f"{x:.12g}" for x in table.detach().flatten().tolist()))
