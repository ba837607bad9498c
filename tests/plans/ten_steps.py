#!/usr/bin/env python3
"""Ten training steps of every family of models and optimizers in PyTorch (in f64), written to ten_steps.txt, which
ten_steps_test.cpp compares Shoestring's with. Data and first weights are sines, so both sides have the same.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch==2.15.0
    /tmp/torch/bin/python tests/plans/ten_steps.py

mixed_steps.txt holds the losses of a few of them in f32 and bf16, under torch.autocast.
Each line: family, step, loss (before the update), gradient norm (before clipping). The last step of a family is an
evaluation: running statistics in the norms, no update.
"""

import math
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
STEPS = 10


def first_value(name: str, i: int) -> float:
    """Element i of the parameter as it is before the first step."""
    around_one = name.endswith((".scale", ".variance"))
    size = 0.4 if name.endswith((".weights", ".embedding")) else 0.1
    return around_one + size * math.sin(1.3 * i + len(name))


class Parameters(dict):
    """Shoestring's parameters by name, made when they are asked for."""

    def get(self, name, *shape):
        if name not in self:
            n = math.prod(shape)
            self[name] = torch.tensor([first_value(name, i) for i in range(n)]).reshape(shape).requires_grad_()
        return self[name]


class Statistics(dict):
    training = True

    def get(self, name, n):
        if name not in self:
            self[name] = torch.tensor([first_value(name, i) for i in range(n)])
        return self[name]


def numbers(rows, columns, step):
    return torch.tensor([[math.sin(0.7 * r + 1.9 * c + step) for c in range(columns)] for r in range(rows)])


def categories(rows, size, step):
    return torch.tensor([(r * 7 + r // 3 + step) % size for r in range(rows)])


def words(rows, size, width, step):
    """Numbers of words, `size` where there is none."""
    return torch.tensor([[(r * 7 + r // 3 + step + 2 * k) % (size + 1) for k in range(width)] for r in range(rows)])


PERIODS = [12, 31, 7, 366, 24, 60, 60, 86400]
PARTS = ["month", "day", "weekday", "yearday", "hour", "minute", "second"]


def dates(rows, step):
    """The scaled year, then the parts from 0."""
    return numbers(rows, 1, step), torch.tensor(
        [[(r * 7 + r // 3 + step + 3 * c) % period for c, period in enumerate(PERIODS)] for r in range(rows)])


def linear(p, x, name, out):
    return x @ p.get(name + ".weights", x.shape[1], out) + p.get(name + ".bias", out)


def norm(p, s, x, name, kind):
    if kind == "layer":
        return F.layer_norm(x, x.shape[1:], p.get(name + ".scale", x.shape[1]), p.get(name + ".shift", x.shape[1]))
    if kind == "batch":
        n = x.shape[1]
        return F.batch_norm(x, s.get(name + ".mean", n), s.get(name + ".variance", n), p.get(name + ".scale", n),
                            p.get(name + ".shift", n), training=s.training)
    return x


def stack(p, s, x, name, sizes, activation=torch.relu, kind=None, residual=False):
    if sizes:
        x = norm(p, s, x, name + ".norm", kind)
    for i, size in enumerate(sizes):
        y = linear(p, x, f"{name}.fc{i}", size)
        y = activation(norm(p, s, y, f"{name}.fc{i}.norm", kind))
        x = y + x if residual and y.shape == x.shape else y
    return x


def classify(p, x, target, **options):
    return F.cross_entropy(linear(p, x, "output.y", options.pop("classes", 2)), target, **options)


def mlp(p, s, step, **options):
    """5-10-2, 70 rows, softmax cross-entropy."""
    return classify(p, stack(p, s, numbers(70, 5, step), "combiner", [10], **options), categories(70, 2, step))


def deep(p, s, step, **options):
    return classify(p, stack(p, s, numbers(32, 6, step), "combiner", [8, 8], **options), categories(32, 3, step), classes=3)


def table(p, s, step):
    """Two numbers, an embedding, a trained identity, a one-hot code, a dense encoder."""
    rows = 40
    x = numbers(rows, 3, step)
    age = stack(p, s, x[:, 1:2], "input.age", [4], torch.tanh)
    job = F.embedding(categories(rows, 7, step), p.get("input.job.embedding", 7, 3))
    state = F.embedding(categories(rows, 5, step + 1), p.get("input.state.embedding", 5, 5))
    sex = F.one_hot(categories(rows, 2, step + 2), 2).to(x.dtype)
    joined = torch.cat([x[:, 0:1], x[:, 2:3], age, job, state, sex], 1)
    return classify(p, stack(p, s, joined, "combiner", [6], F.gelu), categories(rows, 2, step))


def regression(p, s, step, loss):
    x = stack(p, s, numbers(48, 4, step), "combiner", [9], torch.sigmoid)
    target = 2 * numbers(48, 1, step + 3)[:, 0]
    return loss(linear(p, x, "output.y", 1)[:, 0], target)


def binary(p, s, step, weight=None):
    x = stack(p, s, numbers(48, 4, step), "combiner", [9])
    target = categories(48, 2, step).to(x.dtype)
    weight = None if weight is None else torch.tensor(weight)
    return F.binary_cross_entropy_with_logits(linear(p, x, "output.y", 1)[:, 0], target, pos_weight=weight)


def three(p, s, step, **options):
    return classify(p, stack(p, s, numbers(48, 4, step), "combiner", [9]), categories(48, 3, step), classes=3, **options)


def class_weights(p, s, step, **options):
    """Their mean over the batch is 1; PyTorch's own mean divides by their sum, the rows' losses are the same."""
    return three(p, s, step, weight=torch.tensor([0.5, 1.5, 1.0]), reduction="none", **options).mean()


def several(p, s, step):
    """Three outputs of one combiner; the second has a stack of its own."""
    x = stack(p, s, numbers(48, 4, step), "combiner", [9])
    y = linear(p, x, "output.y", 3)
    z = linear(p, stack(p, s, x, "output.z", [5]), "output.z", 1)[:, 0]
    w = linear(p, x, "output.w", 1)[:, 0]
    return (F.cross_entropy(y, categories(48, 3, step)) + 0.5 * F.mse_loss(z, numbers(48, 1, step + 3)[:, 0])
            + 2 * F.binary_cross_entropy_with_logits(w, categories(48, 2, step).to(w.dtype)))


def sum_of_words(p, w, name, size, n):
    table = p.get(name + ".embedding", size, n)
    return (table[w.clamp(max=size - 1)] * (w < size).unsqueeze(2)).sum(1)


def wave(part, period):
    angle = 2 * math.pi * part.to(torch.get_default_dtype()) / period
    return [torch.cos(angle), torch.sin(angle)]


def bags(target, size):
    return F.one_hot(target, size + 1).sum(1)[:, :size].clamp(max=1).to(torch.get_default_dtype())


def lists(p, s, step):
    """A vector, a set, a bag and a date; a set and a vector to predict."""
    rows = 40
    year, parts = dates(rows, step)
    vector = stack(p, s, numbers(rows, 3, step), "input.v", [4])
    tags = sum_of_words(p, words(rows, 6, 3, step), "input.tags", 6, 3)
    notes = stack(p, s, sum_of_words(p, words(rows, 5, 4, step + 1), "input.notes", 5, 5), "input.notes", [4], torch.tanh)
    when = torch.cat([linear(p, year, "input.when.year", 1)] + [
        F.embedding(parts[:, i], p.get(f"input.when.{name}.embedding", PERIODS[i], 2)) for i, name in enumerate(PARTS)
    ] + wave(parts[:, 7:], 86400), 1)
    x = stack(p, s, torch.cat([vector, tags, notes, when], 1), "combiner", [6])
    y = F.binary_cross_entropy_with_logits(linear(p, x, "output.y", 5), bags(words(rows, 5, 2, step), 5), reduction="none")
    return y.sum(1).mean() + 0.5 * F.mse_loss(linear(p, x, "output.z", 3), numbers(rows, 3, step + 2))


def waves(p, s, step):
    """The same inputs the other way: counts of words, vectors as long as the vocabulary, cosines; a weight for each word."""
    rows = 40
    year, parts = dates(rows, step)
    tags = F.one_hot(words(rows, 6, 3, step), 7).sum(1)[:, :6].to(year.dtype)
    notes = sum_of_words(p, words(rows, 5, 4, step + 1), "input.notes", 5, 5)
    pieces = [linear(p, year, "input.when.year", 1)] + [w for i, n in enumerate(PERIODS) for w in wave(parts[:, i:i + 1], n)]
    when = stack(p, s, torch.cat(pieces, 1), "input.when", [4])
    x = stack(p, s, torch.cat([numbers(rows, 3, step), tags, notes, when], 1), "combiner", [6])
    weights = torch.tensor([1, 0.5, 2, 3, 1.5])
    y = F.binary_cross_entropy_with_logits(linear(p, x, "output.y", 5), bags(words(rows, 5, 2, step), 5), reduction="none",
                                           pos_weight=weights)
    return y.sum(1).mean()


def vectors(p, s, step, loss, answer=lambda x: x):
    x = stack(p, s, numbers(48, 4, step), "combiner", [9])
    return loss(answer(linear(p, x, "output.y", 3)), 2 * numbers(48, 3, step + 3))


def cnn(p, s, step):
    """Pictures 8 x 8 of 3 channels; two convolutions, each pooled; filters as matrices [kh kw c, n]."""
    rows, side = 24, 8
    x = torch.tensor([[(r * 7 + r // 3 + step + 31 * k) % 256 for k in range(side * side * 3)] for r in range(rows)])
    x = (x.to(torch.get_default_dtype()) / 255).reshape(rows, side, side, 3).permute(0, 3, 1, 2)
    for i, n in enumerate([6, 5]):
        c = x.shape[1]
        filters = p.get(f"input.p.conv{i}.weights", 9 * c, n).reshape(3, 3, c, n).permute(3, 2, 0, 1)
        x = F.max_pool2d(torch.tanh(F.conv2d(x, filters, p.get(f"input.p.conv{i}.bias", n), padding=1)), 2)
    x = stack(p, s, x.permute(0, 2, 3, 1).flatten(1), "input.p", [8])
    return classify(p, x, categories(rows, 3, step), classes=3)


def percentage(x, y):
    return ((x - y).abs() / y.abs().clamp(min=1.17e-6)).mean()


def root_percentage(x, y):
    return (((x - y) / y.abs().clamp(min=1.17e-6)) ** 2).mean().sqrt()


def torch_optimizer(kind, lr):
    return lambda lr=lr, **options: lambda p: kind(list(p.values()), lr=lr, **options)


sgd = torch_optimizer(torch.optim.SGD, 0.1)
adam = torch_optimizer(torch.optim.Adam, 0.01)
adamw = torch_optimizer(torch.optim.AdamW, 0.01)
adadelta = torch_optimizer(torch.optim.Adadelta, 1.0)
adagrad = torch_optimizer(torch.optim.Adagrad, 0.05)
adamax = torch_optimizer(torch.optim.Adamax, 0.01)
nadam = torch_optimizer(torch.optim.NAdam, 0.01)
rmsprop = torch_optimizer(torch.optim.RMSprop, 0.01)
radam = torch_optimizer(torch.optim.RAdam, 0.01)


class Several:
    """Optimizers that share the parameters."""

    def __init__(self, *optimizers):
        self.optimizers = optimizers

    def zero_grad(self):
        for o in self.optimizers:
            o.zero_grad()

    def step(self):
        for o in self.optimizers:
            o.step()


def hidden_and_rest(p):
    hidden = {k: v for k, v in p.items() if k.endswith(".weights") and k not in ("output.y.weights", "input.p.conv0.weights")}
    return hidden, {k: v for k, v in p.items() if k not in hidden}


def muon(lr=0.01, others=lambda rest, lr: torch.optim.AdamW(rest, lr=lr, weight_decay=0), **options):
    """Hidden matrices by PyTorch's Muon, its products in f64 in place of bfloat16 and its matrices [in, out]; the rest by AdamW."""
    torch.optim._muon._zeropower_via_newtonschulz = newton_schulz

    def of(p):
        hidden, rest = hidden_and_rest(p)
        return Several(torch.optim.Muon(list(hidden.values()), lr=lr, weight_decay=0, adjust_lr_fn="match_rms_adamw", **options),
                       others(list(rest.values()), lr))
    return of


def newton_schulz(g, coefficients, steps, eps):
    a, b, c = coefficients
    x = g.T if g.shape[0] > g.shape[1] else g
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        s = x @ x.T
        x = a * x + (b * s + c * s @ s) @ x
    return x.T if g.shape[0] > g.shape[1] else x


class Written:
    """An optimizer that PyTorch has not, written from its paper: `update(p, g, m, t)` changes p in place, m its memory."""

    def __init__(self, parameters, **options):
        self.parameters, self.options, self.t = list(parameters.values()), options, 0
        self.memory = [{} for _ in self.parameters]

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None

    @torch.no_grad()
    def step(self):
        self.t += 1
        for p, m in zip(self.parameters, self.memory):
            self.update(p, p.grad, m, self.t, **self.options)

    @staticmethod
    def average(m, name, x, beta):
        m[name] = beta * m.get(name, 0) + (1 - beta) * x
        return m[name]


def written(kind):
    return lambda **options: lambda p: kind(p, **options)


@written
class lamb(Written):
    """arXiv 1904.00962, algorithm 2, phi the identity; max_unorm scales the norm that a step has."""

    def update(self, p, g, m, t, lr=0.01, betas=(0.9, 0.999), eps=1e-8, decay=0.0, decoupled=True, correct=True, amsgrad=False,
               max_unorm=1.0):
        if not decoupled:
            g = g + decay * p
        first, second = self.average(m, "m", g, betas[0]), self.average(m, "v", g * g, betas[1])
        if amsgrad:
            second = m["largest"] = torch.maximum(m.get("largest", second), second)
        if correct:
            first, second = first / (1 - betas[0]**t), second / (1 - betas[1]**t)
        r = first / (second.sqrt() + eps)
        if decoupled:
            r = r + decay * p
        weight, size = p.norm(), r.norm()
        ratio = max_unorm * weight / size if weight > 0 and size > 0 else 1
        p.sub_(lr * ratio * r)


@written
class lars(Written):
    """arXiv 1708.03888, algorithm 1, the trust coefficient being max_unorm; the learning rate outside the momentum as in SGD."""

    def update(self, p, g, m, t, lr=0.05, momentum=0.9, dampening=0.0, decay=0.0, nesterov=False, max_unorm=1.0):
        weight, size = p.norm(), g.norm() + decay * p.norm()
        d = (g + decay * p) * (max_unorm * weight / size if weight > 0 and size > 0 else 1)
        m["b"] = d if t == 1 else momentum * m["b"] + (1 - dampening) * d
        p.sub_(lr * (d + momentum * m["b"] if nesterov else m["b"]))


@written
class lion(Written):
    """arXiv 2302.06675, algorithm 2."""

    def update(self, p, g, m, t, lr=0.005, betas=(0.9, 0.999), decay=0.0):
        c = betas[0] * m.get("m", 0) + (1 - betas[0]) * g
        p.sub_(lr * (torch.sign(c) + decay * p))
        self.average(m, "m", g, betas[1])


@written
class adafactor(Written):
    """arXiv 1804.04235, algorithms 4 and 5 with the constants of section 9: eps1 1e-30, eps2 1e-3, d 1, beta2 1 - t^-0.8."""

    def update(self, p, g, m, t, lr=0.01, scale_parameter=True, relative_step=False, warmup_init=False):
        rho = lr
        if relative_step:
            rho = min(1e-6 * t if warmup_init else 1e-2, 1 / math.sqrt(t))
        alpha = max(1e-3, p.square().mean().sqrt()) * rho if scale_parameter else rho
        beta = 1 - t**-0.8
        if p.dim() == 2:
            rows = self.average(m, "rows", (g * g + 1e-30).sum(1, keepdim=True), beta)
            columns = self.average(m, "columns", (g * g + 1e-30).sum(0, keepdim=True), beta)
            v = rows @ columns / rows.sum()
        else:
            v = self.average(m, "v", g * g + 1e-30, beta)
        u = g / v.sqrt()
        p.sub_(alpha * u / max(1, u.square().mean().sqrt()))


@written
class schedule_free(Written):
    """arXiv 2405.15682, algorithm 1. The parameters are y while training, x when it has ended."""

    def update(self, p, g, m, t, lr=0.02, betas=(0.9, 0.999), eps=1e-8, decay=0.0, warmup=0):
        x, z = m.get("x", p.clone()), m.get("z", p.clone())  # y is both before the first step
        v = self.average(m, "v", g * g, betas[1])
        gamma = lr * math.sqrt(1 - betas[1]**t) * (min(1, t / warmup) if warmup else 1)
        z = z - gamma * (g / (v.sqrt() + eps) + decay * p)
        m["sum"] = m.get("sum", 0) + gamma**2
        c = gamma**2 / m["sum"]
        x = (1 - c) * x + c * z
        m["x"], m["z"] = x, z
        p.copy_((1 - betas[0]) * z + betas[0] * x)

    @torch.no_grad()
    def eval(self):
        for p, m in zip(self.parameters, self.memory):
            p.copy_(m["x"])


@written
class normalized_muon(Written):
    """KellerJordan/cifar10-airbench, airbench94_muon.py: filters brought to the norm sqrt(n) before each step."""

    def update(self, p, g, m, t, lr=0.1, momentum=0.6, steps=3):
        m["b"] = momentum * m.get("b", 0) + g
        p.mul_(p.shape[1]**0.5 / p.norm())
        p.sub_(lr * newton_schulz(g + momentum * m["b"], (3.4445, -4.775, 2.0315), steps, 1e-7))


def airbench(p):
    hidden, rest = hidden_and_rest(p)
    return Several(normalized_muon()(hidden), torch.optim.SGD(list(rest.values()), lr=0.05, momentum=0.85, nesterov=True))


def clip_global(limit):
    return lambda parameters: torch.nn.utils.clip_grad_norm_(parameters, limit)


def clip_each(limit):
    return lambda parameters: [torch.nn.utils.clip_grad_norm_([p], limit) for p in parameters]


def clip_value(limit):
    return lambda parameters: torch.nn.utils.clip_grad_value_(parameters, limit)


def penalty(l1=0.0, l2=0.0):
    def of(parameters):
        weights = [v for k, v in parameters.items() if k.endswith((".weights", ".embedding"))]
        return sum(l1 * w.abs().sum() + l2 * w.square().sum() for w in weights)
    return of


def rmse(x, y):
    return F.mse_loss(x, y).sqrt()


def with_(model, **options):
    return lambda p, s, step: model(p, s, step, **options)


# name: model, optimizer, clipping, penalty
FAMILIES = {
    "mlp_adam": (mlp, adam()),
    "mlp_sgd": (mlp, sgd()),
    "mlp_momentum": (mlp, sgd(momentum=0.9)),
    "mlp_nesterov": (mlp, sgd(momentum=0.9, nesterov=True, weight_decay=0.01)),
    "mlp_dampening": (mlp, sgd(momentum=0.9, dampening=0.5, weight_decay=0.01)),
    "mlp_adam_decay": (mlp, adam(weight_decay=0.1, betas=(0.8, 0.95))),
    "mlp_amsgrad": (mlp, adam(amsgrad=True, lr=0.05)),
    "mlp_adamw": (mlp, adamw(weight_decay=0.1)),
    "mlp_adadelta": (mlp, adadelta(weight_decay=0.01, rho=0.8)),
    "mlp_adagrad": (mlp, adagrad(weight_decay=0.01, lr_decay=0.1, initial_accumulator_value=0.01)),
    "mlp_adamax": (mlp, adamax(weight_decay=0.01, betas=(0.8, 0.95))),
    "mlp_nadam": (mlp, nadam(weight_decay=0.01)),
    "mlp_rmsprop": (mlp, rmsprop(weight_decay=0.01)),
    "mlp_rmsprop_centered": (mlp, rmsprop(momentum=0.9, centered=True, alpha=0.9)),
    "mlp_radam": (mlp, radam(weight_decay=0.01)),  # rectified from the sixth step on
    "mlp_lamb": (mlp, lamb(decay=0.1)),
    "mlp_lamb_other": (mlp, lamb(decay=0.1, decoupled=False, correct=False, amsgrad=True, max_unorm=0.5)),
    "mlp_lars": (mlp, lars(decay=0.1, max_unorm=0.7)),
    "mlp_lars_nesterov": (mlp, lars(momentum=0.8, nesterov=True)),
    "mlp_lion": (mlp, lion(decay=0.1, betas=(0.9, 0.99))),
    "mlp_adafactor": (mlp, adafactor()),
    "mlp_adafactor_fixed": (mlp, adafactor(scale_parameter=False)),
    "mlp_schedule_free": (mlp, schedule_free(decay=0.1)),
    "mlp_schedule_free_warm": (mlp, schedule_free(warmup=6, betas=(0.7, 0.99)), clip_global(0.2)),
    "deep_muon": (deep, muon()),
    "deep_muon_plain": (deep, muon(nesterov=False, momentum=0.8)),
    "table_muon": (table, muon()),
    "cnn_muon": (cnn, muon(ns_steps=4, others=lambda rest, lr: torch.optim.SGD(rest, lr=3 * lr, momentum=0.9, nesterov=True,
                                                                               weight_decay=0.01))),
    "cnn_muon_normalized": (cnn, airbench),
    "mlp_clip_global": (mlp, sgd(), clip_global(0.05)),
    "mlp_clip_each": (mlp, sgd(), clip_each(0.02)),
    "mlp_clip_value": (mlp, sgd(), clip_value(0.01)),
    "mlp_l1": (mlp, sgd(), None, penalty(l1=0.01)),
    "mlp_l2": (mlp, sgd(), None, penalty(l2=0.01)),
    "mlp_l1_l2": (mlp, adam(), clip_global(0.5), penalty(l1=0.01, l2=0.01)),
    "mlp_tanh": (with_(mlp, activation=torch.tanh), adam()),
    "deep_residual": (with_(deep, residual=True), adam()),
    # A bias in front of a batch norm has no gradient but rounding, which Adam would turn into whole steps.
    "deep_batch_norm": (with_(deep, kind="batch"), sgd()),
    "deep_layer_norm": (with_(deep, kind="layer"), adam()),
    "table": (table, adamw(), clip_global(0.5)),
    "squared_error": (with_(regression, loss=F.mse_loss), adam()),
    "absolute_error": (with_(regression, loss=F.l1_loss), adam()),
    "root_squared_error": (with_(regression, loss=rmse), adam()),
    "huber": (with_(regression, loss=lambda x, y: F.huber_loss(x, y, delta=0.7)), adam()),
    "percentage": (with_(regression, loss=percentage), adam()),
    "root_squared_percentage": (with_(regression, loss=root_percentage), adam()),
    "binary": (binary, adam()),
    "binary_weighted": (with_(binary, weight=3.0), adam()),
    "class_weights": (class_weights, adam()),
    "label_smoothing": (with_(three, label_smoothing=0.1), adam()),
    "weights_and_smoothing": (with_(class_weights, label_smoothing=0.1), adam()),
    "several": (several, adam(), clip_global(0.5)),
    "lists": (lists, adam(), clip_global(0.5)),
    "waves": (waves, adam()),
    "vector_absolute": (with_(vectors, loss=F.l1_loss, answer=lambda x: torch.tanh(x) * 1.5), adam()),
    "vector_percentage": (with_(vectors, loss=percentage), adam()),
    "vector_huber": (with_(vectors, loss=lambda x, y: F.huber_loss(x, y, delta=0.7), answer=lambda x: x.clamp(-0.5, 0.5)), adam()),
    "vector_cross_entropy": (with_(vectors, loss=F.cross_entropy), adam()),
    "vector_softmax": (with_(vectors, loss=F.mse_loss, answer=lambda x: torch.softmax(x, 1)), adam()),
}


def run(model, optimizer_of, clip=None, regularization=None):
    p, s, optimizer = Parameters(), Statistics(), None
    for step in range(STEPS):
        loss = model(p, s, step)
        if optimizer is None:
            optimizer = optimizer_of(p)
        optimizer.zero_grad()
        (loss + regularization(p) if regularization else loss).backward()
        gradient_norm = math.sqrt(sum(v.grad.square().sum().item() for v in p.values()))
        if clip:
            clip(list(p.values()))
        optimizer.step()
        yield step, loss.item(), gradient_norm
    s.training = False
    if hasattr(optimizer, "eval"):
        optimizer.eval()
    yield STEPS, model(p, s, STEPS).item(), 0


def run_mixed(*family):
    torch.set_default_dtype(torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        yield from run(*family)
    torch.set_default_dtype(torch.float64)


MIXED = ["mlp_adam", "deep_layer_norm", "table", "several"]


def main():
    lines = ["# family step loss gradient_norm under autocast: PyTorch " + torch.__version__.split("+")[0]]
    for name in MIXED:
        lines += [f"{name} {step} {loss:.12g} {norm:.12g}" for step, loss, norm in run_mixed(*FAMILIES[name])]
    pathlib.Path(__file__).with_name("mixed_steps.txt").write_text("\n".join(lines) + "\n")
    lines = ["# family step loss gradient_norm: PyTorch " + torch.__version__.split("+")[0] + ", written by ten_steps.py"]
    for name, family in FAMILIES.items():
        lines += [f"{name} {step} {loss:.12g} {norm:.12g}" for step, loss, norm in run(*family)]
    pathlib.Path(__file__).with_suffix(".txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
