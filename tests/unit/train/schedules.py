#!/usr/bin/env python3
"""Learning rates of PyTorch's schedulers, written to schedules.txt, which schedule_test.cpp compares Shoestring's with.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch==2.15.0
    /tmp/torch/bin/python tests/unit/train/schedules.py

Each line: case, step, rate.
"""

import pathlib

import torch
from torch.optim import lr_scheduler as lr

BASE, STEPS = 0.02, 40

CASES = {
    "one_cycle": lambda o: lr.OneCycleLR(o, max_lr=BASE, total_steps=STEPS),
    "one_cycle_own": lambda o: lr.OneCycleLR(o, max_lr=0.5, total_steps=STEPS, pct_start=0.12, div_factor=10,
                                             final_div_factor=100),
    "one_cycle_at_once": lambda o: lr.OneCycleLR(o, max_lr=BASE, total_steps=STEPS, pct_start=0.0),
    "polynomial": lambda o: lr.PolynomialLR(o, total_iters=STEPS, power=2),
    "cosine": lambda o: lr.CosineAnnealingWarmRestarts(o, T_0=5, T_mult=2, eta_min=0.001),
}


def main():
    lines = ["# case step rate: PyTorch " + torch.__version__.split("+")[0] + ", written by schedules.py"]
    for name, scheduler_of in CASES.items():
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE, momentum=0.9)
        scheduler = scheduler_of(optimizer)
        for step in range(STEPS):
            lines.append(f"{name} {step} {optimizer.param_groups[0]['lr']:.15g}")
            optimizer.step()
            if step + 1 < STEPS:
                scheduler.step()
    pathlib.Path(__file__).with_suffix(".txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
