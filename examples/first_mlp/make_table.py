#!/usr/bin/env python3
"""Makes machines.csv: 100 rows, 5 readings of a machine scaled to [0, 1], whether it failed within a week,
and the split: 0 to train on, 1 to validate, 2 to test. The rule behind it is smooth and a little noisy,
so that no model should reach 100 %.

    python3 make_table.py > machines.csv
"""
import random

random.seed(7)
print("temperature,vibration,pressure,current,age,failed,split")
for row in range(100):
    temperature, vibration, pressure, current, age = (random.random() for _ in range(5))
    stress = 1.6 * temperature * vibration + 0.9 * age * age + 0.5 * abs(pressure - 0.5) + 0.3 * current
    failed = stress + random.gauss(0, 0.08) > 1.0
    split = (0, 0, 2, 0, 0, 0, 1, 0, 2, 0)[row % 10]  # 70, 10 and 20 rows
    print(f"{temperature:.3f},{vibration:.3f},{pressure:.3f},{current:.3f},{age:.3f},{'yes' if failed else 'no'},{split}")
