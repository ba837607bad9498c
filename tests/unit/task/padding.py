#!/usr/bin/env python3
"""Makes padding.txt: PyTorch's convolutions by padding_mode (in f64), which padding_test.cpp compares with.

    python tests/unit/task/padding.py      (needs torch)

Numbers are sines: element i of x is sin(1.3 i + 1), of the filters sin(0.7 i + 2), of what the results are weighted
by in the loss sin(1.1 i + 3); pictures are [b,h,w,c], filters [kh,kw,c,n]. Each line: mode, h, w, kh, kw, padding as
PyTorch takes it, then the results, and the loss's gradients in the pictures and in the filters.
"""
import pathlib

import torch
from torch import nn

B, C, N = 2, 2, 3
# height, width, kernel, padding
CASES = [
    (4, 5, (3, 3), (1, 1)),
    (4, 5, (3, 5), (3, 2)),  # as much as can be reflected in a height of 4
    (3, 4, (1, 2), (0, 3)),
    (4, 5, (4, 2), "same"),  # uneven: one more below and on the right
]


def sines(shape, factor, shift):
    count = torch.Size(shape).numel()
    return torch.sin(factor * torch.arange(count, dtype=torch.float64) + shift).reshape(shape).requires_grad_()


def numbers(t):
    return " ".join(f"{v:.10g}" for v in t.detach().flatten().tolist())


def main():
    lines = [f"# torch {torch.__version__}, made by padding.py"]
    for mode in ("reflect", "replicate", "circular"):
        for h, w, (kh, kw), padding in CASES:
            x, filters = sines((B, h, w, C), 1.3, 1), sines((kh, kw, C, N), 0.7, 2)
            conv = nn.Conv2d(C, N, (kh, kw), padding=padding, padding_mode=mode, bias=False).double()
            y = torch.func.functional_call(conv, {"weight": filters.permute(3, 2, 0, 1)}, x.permute(0, 3, 1, 2))
            y = y.permute(0, 2, 3, 1)
            (y * sines(y.shape, 1.1, 3).detach()).sum().backward()
            how = "same" if padding == "same" else f"{padding[0]} {padding[1]}"
            lines.append(f"{mode} {h} {w} {kh} {kw} {how}")
            lines += [numbers(y), numbers(x.grad), numbers(filters.grad)]
    pathlib.Path(__file__).with_suffix(".txt").write_text("\n".join(lines) + "\n")


main()
