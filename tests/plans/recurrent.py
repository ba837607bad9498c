#!/usr/bin/env python3
"""PyTorch's recurrent layers (in f64), written to recurrent.txt, which recurrent_test.cpp compares loops with. All
that goes in is sines, so both sides have the same.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch
    /tmp/torch/bin/python tests/plans/recurrent.py

Each line: layer, steps, what it is, its values: results, and gradients ("d NAME") of sum(y s1) + sum(h s2) (+ sum(c s3)).
"""

import math
import pathlib

import torch

torch.set_default_dtype(torch.float64)
BATCH, INPUTS, HIDDEN = 2, 3, 4


def sines(name, *shape):
    return torch.tensor([0.6 * math.sin(1.3 * i + len(name)) for i in range(math.prod(shape))]).reshape(shape)


def main():
    lines = []
    for kind, gates in (("RNN", 1), ("LSTM", 4), ("GRU", 3)):
        for steps in (1, 2, 7):
            layer = getattr(torch.nn, kind)(INPUTS, HIDDEN)
            shapes = {"w": (gates * HIDDEN, INPUTS), "u_": (gates * HIDDEN, HIDDEN), "bias": (gates * HIDDEN,),
                      "b_state": (gates * HIDDEN,)}
            names = dict(zip(shapes, ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")))
            values = {n: sines(n, *s).requires_grad_() for n, s in shapes.items()}
            values["input"] = sines("input", steps, BATCH, INPUTS).requires_grad_()
            states = {n: sines(n, 1, BATCH, HIDDEN).requires_grad_() for n in (("h", "cell") if kind == "LSTM" else ("h",))}
            given = tuple(states.values()) if kind == "LSTM" else states["h"]
            y, last = torch.func.functional_call(layer, {names[n]: values[n] for n in shapes}, (values["input"], given))
            results = {"y": y} | dict(zip(states, last if kind == "LSTM" else (last,)))
            loss = sum((r * sines("upstream " + n, *r.shape)).sum() for n, r in results.items())
            wanted = values | states
            gradients = torch.autograd.grad(loss, list(wanted.values()))
            for n, r in list(results.items()) + [(f"d_{n}", g) for n, g in zip(wanted, gradients)]:
                lines.append(" ".join([kind, str(steps), n, *(repr(x) for x in r.detach().flatten().tolist())]))
    head = f"# PyTorch {torch.__version__}, made by recurrent.py\n"
    pathlib.Path(__file__).with_suffix(".txt").write_text(head + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
