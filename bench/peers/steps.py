#!/usr/bin/env python3
"""The peer of bench/steps.cpp: the same training step in PyTorch, written the usual way. One JSON line.

    steps.py 108-256-256-2 --batch 256 --table 32561 [--mode eager|fused|compile|bf16] [--seconds 2]

eager is torch.optim.Adam as it comes, fused is Adam(fused=True), compile is torch.compile around forward and loss,
bf16 is eager under torch.autocast."""
import argparse
import json
import statistics
import time

import torch

parser = argparse.ArgumentParser()
parser.add_argument("network")
parser.add_argument("--batch", type=int, default=70)
parser.add_argument("--table", type=int, default=70)
parser.add_argument("--mode", choices=["eager", "fused", "compile", "bf16"], default="eager")
parser.add_argument("--seconds", type=float, default=2)
args = parser.parse_args()

torch.manual_seed(7)
sizes = [int(n) for n in args.network.split("-")]
layers = []
for fan_in, fan_out in zip(sizes, sizes[1:]):
    layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
model = torch.nn.Sequential(*layers[:-1])
optimizer = torch.optim.Adam(model.parameters(), lr=0.001, **({"fused": True} if args.mode == "fused" else {}))
criterion = torch.nn.CrossEntropyLoss()

table = torch.randn(args.table, sizes[0])
classes = (table[:, 0] + torch.randn(args.table) > 0).long()  # half noise, as in steps.cpp


def forward(x, y):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.mode == "bf16"):
        return criterion(model(x), y)


if args.mode == "compile":
    forward = torch.compile(forward)


def batches():
    while True:
        order = torch.randperm(args.table)
        for start in range(0, args.table - args.batch + 1, args.batch):
            yield order[start : start + args.batch]


feed = batches()


def step():
    rows = next(feed)
    optimizer.zero_grad()
    loss = forward(table[rows], classes[rows])
    loss.backward()
    optimizer.step()
    return loss


begin = time.perf_counter()
warm = 0
while warm < 3 or time.perf_counter() - begin < 1:
    step()
    warm += 1
begin = time.perf_counter()
for _ in range(warm):
    step()
block = max(1, int(0.1 / ((time.perf_counter() - begin) / warm)))

blocks = []
begin = time.perf_counter()
while time.perf_counter() - begin < args.seconds:
    start = time.perf_counter()
    for _ in range(block):
        loss = step()
    blocks.append((time.perf_counter() - start) / block)
seconds = statistics.median(blocks)
print(json.dumps({"network": args.network, "batch": args.batch, "mode": args.mode, "threads": torch.get_num_threads(),
                  "us_per_step": round(seconds * 1e6, 3), "samples_per_second": round(args.batch / seconds),
                  "loss": float(loss.detach())}))
