#!/usr/bin/env python3
"""The peer of bench/pictures.cpp: the same training step in PyTorch, written the usual way. One JSON line.

    pictures.py cnn|resnet18 [--batch N] [--mode eager|last|compile|bf16] [--seconds 3]

last is channels-last, bf16 is channels-last under torch.autocast, compile is torch.compile around forward and loss. With
--threads 1 the thread is timed by its own clock, as bench_pictures does."""
import argparse
import json
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

parser = argparse.ArgumentParser()
parser.add_argument("network", choices=["cnn", "resnet18"])
parser.add_argument("--batch", type=int)
parser.add_argument("--mode", choices=["eager", "last", "compile", "bf16"], default="eager")
parser.add_argument("--threads", type=int)
parser.add_argument("--seconds", type=float, default=3)
args = parser.parse_args()
small = args.network == "cnn"
batch = args.batch or (128 if small else 64)
if args.threads:
    torch.set_num_threads(args.threads)
now = time.thread_time if args.threads == 1 else time.perf_counter
torch.manual_seed(7)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.down = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)) if stride > 1 else nn.Identity()

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.down(x))


def resnet18():
    layers, inputs = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()], 64
    for stage in range(4):
        for block in range(2):
            layers.append(Block(inputs, 64 << stage, 2 if stage and not block else 1))
            inputs = 64 << stage
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def cnn():
    return nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10))


model = cnn() if small else resnet18()
layout = torch.channels_last if args.mode in ("last", "bf16") else torch.contiguous_format
model = model.to(memory_format=layout)
if small:
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
else:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
images = torch.rand(8, batch, *((1, 28, 28) if small else (3, 32, 32)))
classes = torch.arange(batch) % 10


def forward(x, y):
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.mode == "bf16"):
        return F.cross_entropy(model(x), y)


if args.mode == "compile":
    forward = torch.compile(forward)
feed = [x.contiguous(memory_format=layout) for x in images]


def step(t):
    optimizer.zero_grad()
    loss = forward(feed[t % 8], classes)
    loss.backward()
    optimizer.step()
    return loss


for t in range(3):
    step(t)
seconds, begin = [], time.perf_counter()
while len(seconds) < 3 or time.perf_counter() - begin < args.seconds:
    start = now()
    loss = step(len(seconds))
    seconds.append(now() - start)
median = statistics.median(seconds)
print(json.dumps({"network": args.network, "batch": batch, "mode": args.mode, "threads": torch.get_num_threads(), "ms_per_step": round(median * 1e3, 3),
                  "best_ms": round(min(seconds) * 1e3, 3), "samples_per_second": round(batch / median, 1),
                  "torch": torch.__version__}))
