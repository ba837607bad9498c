#!/usr/bin/env python3
"""Peak memory of training in PyTorch, written the usual way: the peer of bench/memory_peers. One JSON line.

    memory.py table.csv target --layers 256 --batch 256 --epochs 5 [--embed 50]

Numbers are scaled, words are embedded (an embedding as wide as the smaller of --embed and the vocabulary); all layers
are ReLU; Adam, binary cross-entropy, f32, no clipping. libraries_mib is what the process holds once it has imported
PyTorch and run one product."""
import argparse
import csv
import json
import random
import resource

import torch


def resident_mib():
    for line in open("/proc/self/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024


torch.ones(64, 64) @ torch.ones(64, 64)
libraries = resident_mib()

parser = argparse.ArgumentParser()
parser.add_argument("table")
parser.add_argument("target")
parser.add_argument("--layers", default="256")
parser.add_argument("--batch", type=int, default=256)
parser.add_argument("--epochs", type=int, default=1)
parser.add_argument("--embed", type=int, default=50)
args = parser.parse_args()
torch.manual_seed(7)


def is_number(word):
    try:
        float(word)
        return True
    except ValueError:
        return False


with open(args.table) as file:
    reader = csv.reader(file)
    head = next(reader)
    rows = list(reader)
random.Random(7).shuffle(rows)
rows = rows[: int(0.7 * len(rows))]  # what is trained on of a table that is split 70/10/20
at = head.index(args.target)
labels = sorted({row[at] for row in rows})
y = torch.tensor([float(row[at] == labels[-1]) for row in rows])
numbers = [i for i in range(len(head)) if i != at and is_number(rows[0][i])]
words = [i for i in range(len(head)) if i != at and i not in numbers]
x = torch.tensor([[float(row[i]) for i in numbers] for row in rows])
x = (x - x.mean(0)) / x.std(0).clamp(min=1e-8)
vocabularies = [{word: k for k, word in enumerate(sorted({row[i] for row in rows}))} for i in words]
codes = torch.tensor([[v[row[i]] for v, i in zip(vocabularies, words)] for row in rows], dtype=torch.int64)
del rows


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings = torch.nn.ModuleList(
            torch.nn.Embedding(len(v), min(args.embed, len(v))) for v in vocabularies)
        sizes = [len(numbers) + sum(e.embedding_dim for e in self.embeddings), *map(int, args.layers.split("-"))]
        layers = []
        for fan_in, fan_out in zip(sizes, sizes[1:]):
            layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
        self.layers = torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-1], 1))

    def forward(self, x, codes):
        parts = [x, *(e(codes[:, i]) for i, e in enumerate(self.embeddings))]
        return self.layers(torch.cat(parts, 1))[:, 0]


model = Network()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
criterion = torch.nn.BCEWithLogitsLoss()
for _ in range(args.epochs):
    order = torch.randperm(len(y))
    for batch in order.split(args.batch):
        optimizer.zero_grad()
        loss = criterion(model(x[batch], codes[batch]), y[batch])
        loss.backward()
        optimizer.step()
print(json.dumps({"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "libraries_mib": libraries,
                  "parameters": sum(p.numel() for p in model.parameters()), "loss": float(loss.detach())}))
