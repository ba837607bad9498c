#!/usr/bin/env python3
"""Writes activations.txt: every activation and its gradient, from PyTorch in double precision; sparsemax and
entmax15, which PyTorch lacks, by bisection on their definition (Peters, Niculae, Martins 2019), with the Jacobian
of the paper, which is checked against differences here.

    python3 -m venv venv && venv/bin/pip install torch numpy
    venv/bin/python tests/plans/activations.py > tests/plans/activations.txt

First x and upstream (of which gated activations take the first half of the columns); then one line each: the
activation, y, dx, and dslope for prelu. Numbers stand by rows.
"""
import numpy as np
import torch
import torch.nn.functional as F

ROWS, WIDTH = 4, 12


def inputs():
    rng = np.random.default_rng(1)
    x = np.empty((ROWS, WIDTH))
    x[0] = rng.uniform(-3, 3, WIDTH)
    x[1] = [0, 1e-4, -1e-4, 0.5, -0.5, 0, 2.5, -2.5, 6.5, 1, 1, -7]  # zeros, equals, beside the kinks
    x[2] = [1e4, -1e4, 88, -88, 120, -120, 1e18, -1e18, 20, -20, 30, -30]  # where e^x overflows
    x[3] = rng.uniform(-0.4, 0.4, WIDTH)
    x = x.astype(np.float32).astype(np.float64)
    upstream = rng.uniform(-1, 1, (ROWS, WIDTH)).astype(np.float32).astype(np.float64)
    return x, upstream


def gate(f):
    def gated(x):
        a, b = x.chunk(2, -1)
        return f(a) * b
    return gated


TORCH = {
    "null": lambda x: x, "relu": F.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "gelu": F.gelu, "elu": F.elu,
    "leakyRelu": F.leaky_relu, "logSigmoid": F.logsigmoid, "softmax": lambda x: torch.softmax(x, -1), "silu": F.silu,
    "swish": F.silu, "mish": F.mish, "selu": F.selu, "relu6": F.relu6, "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid, "softplus": F.softplus, "celu": F.celu, "swiglu": gate(F.silu), "geglu": gate(F.gelu),
    "reglu": gate(F.relu),
}


def entmax(z, alpha):
    """The p with p_i = max(0, (alpha - 1) z_i - t)^(1 / (alpha - 1)) and sum 1, by bisection on t."""
    z = (alpha - 1) * (z - z.max())
    low, high = -1.0, 0.0
    for _ in range(200):
        t = (low + high) / 2
        low, high = (t, high) if (np.maximum(z - t, 0) ** (1 / (alpha - 1))).sum() > 1 else (low, t)
    p = np.maximum(z - (low + high) / 2, 0) ** (1 / (alpha - 1))
    return p / p.sum()


def entmax_gradient(p, upstream, alpha):
    s = np.where(p > 0, np.where(p > 0, p, 1) ** (2 - alpha), 0)
    return s * (upstream - (s * upstream).sum() / s.sum())


def check(z, upstream, alpha):
    for i in range(len(z)):
        step = np.zeros_like(z)
        step[i] = 1e-6
        difference = ((entmax(z + step, alpha) - entmax(z - step, alpha)) * upstream).sum() / 2e-6
        assert abs(difference - entmax_gradient(entmax(z, alpha), upstream, alpha)[i]) < 1e-5


def line(name, *arrays):
    print(name, *(" ".join(repr(float(v)) for v in np.asarray(a).ravel()) for a in arrays))


def main():
    x, upstream = inputs()
    print(f"# PyTorch {torch.__version__}, NumPy {np.__version__}, made by activations.py")
    line("x", x)
    line("upstream", upstream)
    for name, f in TORCH.items():
        xt = torch.tensor(x, requires_grad=True)
        y = f(xt)
        up = upstream[:, : y.shape[1]]
        (y * torch.tensor(up)).sum().backward()
        line(name, y.detach().numpy(), xt.grad.numpy())
    xt, slope = torch.tensor(x, requires_grad=True), torch.tensor([0.25], dtype=torch.float64, requires_grad=True)
    y = F.prelu(xt, slope)
    (y * torch.tensor(upstream)).sum().backward()
    line("prelu", y.detach().numpy(), xt.grad.numpy(), slope.grad.numpy())
    for name, alpha in (("sparsemax", 2.0), ("entmax15", 1.5)):
        check(x[0], upstream[0], alpha)
        check(x[3], upstream[3], alpha)
        y = np.array([entmax(row, alpha) for row in x])
        line(name, y, [entmax_gradient(p, u, alpha) for p, u in zip(y, upstream)])


if __name__ == "__main__":
    main()
