#!/usr/bin/env python3
"""Makes places.txt: tables of places for pictures of other sizes, which places_test.cpp compares with.

    python tests/unit/model/places.py      (needs torch)

As torchvision's interpolate_embeddings: the first row stays, the others are a square that torch.nn.functional
interpolates, bicubic with align_corners (in f64). Element i of a table is sin(1.3 i + 1). Each line: side, rows,
columns, then the new table [1 + rows * columns, 3].
"""
import pathlib

import torch
from torch.nn import functional

D = 3


def main():
    lines = [f"# torch {torch.__version__}, made by places.py"]
    for side, rows, columns in [(4, 3, 5), (2, 5, 3), (4, 1, 1), (3, 6, 6), (5, 2, 5), (1, 2, 2), (4, 2, 8)]:
        count = (1 + side * side) * D
        table = torch.sin(1.3 * torch.arange(count, dtype=torch.float64) + 1).reshape(1, -1, D)
        places = table[:, 1:].permute(0, 2, 1).reshape(1, D, side, side)
        places = functional.interpolate(places, size=(rows, columns), mode="bicubic", align_corners=True)
        made = torch.cat([table[:, :1], places.reshape(1, D, -1).permute(0, 2, 1)], dim=1)
        lines.append(f"{side} {rows} {columns} " + " ".join(f"{v:.10g}" for v in made.flatten().tolist()))
    pathlib.Path(__file__).with_suffix(".txt").write_text("\n".join(lines) + "\n")


main()
