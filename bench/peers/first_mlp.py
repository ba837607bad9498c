#!/usr/bin/env python3
"""The first example as a PyTorch user writes it: reads the table, splits it by its last column, trains 5-10-2 with ReLU and
Adam on all training rows for 1,000 steps, prints each 100th step's loss and held-out accuracy, saves the model,
predicts the test rows.

    first_mlp.py examples/first_mlp/machines.csv OUTPUT_FOLDER"""
import csv
import pathlib
import sys

import torch

table, output = sys.argv[1], pathlib.Path(sys.argv[2])
torch.manual_seed(42)

with open(table, newline="") as f:
    reader = csv.DictReader(f)
    *inputs, target, split = reader.fieldnames
    rows = list(reader)
x = torch.tensor([[float(row[name]) for name in inputs] for row in rows])
labels = sorted({row[target] for row in rows})
y = torch.tensor([labels.index(row[target]) for row in rows])
train, held_out, test = (torch.tensor([i for i, row in enumerate(rows) if row[split] == part]) for part in "012")

model = torch.nn.Sequential(torch.nn.Linear(len(inputs), 10), torch.nn.ReLU(), torch.nn.Linear(10, len(labels)))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
criterion = torch.nn.CrossEntropyLoss()
for step in range(1001):
    optimizer.zero_grad()
    loss = criterion(model(x[train]), y[train])
    if step % 100 == 0:
        with torch.no_grad():
            accuracy = (model(x[held_out]).argmax(1) == y[held_out]).float().mean()
        print(f"Step: {step} Loss: {loss.item():.4f} Accuracy: {accuracy.item():.4f}")
    if step < 1000:
        loss.backward()
        optimizer.step()

output.mkdir(parents=True, exist_ok=True)
torch.save(model.state_dict(), output / "model.pt")
with torch.no_grad():
    probabilities = model(x[test]).softmax(1)
with open(output / "predictions.csv", "w", newline="") as f:
    writer = csv.writer(f)
    writer.writerow([f"{target}_predictions", f"{target}_probability"])
    for row in probabilities:
        writer.writerow([labels[int(row.argmax())], float(row.max())])
