#!/usr/bin/env python3
"""How good the default's networks are after so many epochs: compact_cnn (Jordan, arXiv 2404.00498) in PyTorch, on
CIFAR-10's JPEG copy or Fashion-MNIST, without validation rows. One JSON line for each setting: test accuracy of the
picture as it is, of it and its mirror image, and of those and views moved by a pixel.

    picture_quality.py cifar|fashion FOLDER --widths 64,256,256 --epochs 10[,20,…] [--convolutions 2] [--batch 1024]
                       [--muon] [--cutmix A --probability P] [--mixup A] [--erase SIDE --probability P] [--crop 2]
                       [--seed 0] [--device cuda]

FOLDER holds cifar10_jpg.tar.gz and fashion_mnist/. Convolutions are bf16 under autocast. bench/QUALITY.md holds what it
found and what the default makes of it."""
import argparse
import gzip
import io
import json
import math
import pathlib
import tarfile
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def cifar(folder):
    from PIL import Image

    parts = {"train": [], "test": []}
    with tarfile.open(folder / "cifar10_jpg.tar.gz") as archive:
        files = [m for m in archive if m.isfile()]
        classes = sorted({m.name.split("/")[2] for m in files})
        for m in files:
            _, part, name, _ = m.name.split("/")
            pixels = np.asarray(Image.open(io.BytesIO(archive.extractfile(m).read())).convert("RGB"))
            parts[part].append((pixels, classes.index(name)))
    for part in parts.values():
        yield torch.from_numpy(np.stack([p for p, _ in part])).permute(0, 3, 1, 2).contiguous()
        yield torch.tensor([c for _, c in part])


def fashion(folder):
    def read(name, header):
        return torch.from_numpy(np.frombuffer(gzip.open(folder / "fashion_mnist" / name).read(), np.uint8)[header:].copy())

    for part in "train", "t10k":
        yield read(f"{part}-images-idx3-ubyte.gz", 16).view(-1, 1, 28, 28)
        yield read(f"{part}-labels-idx1-ubyte.gz", 8).long()


class Norm(nn.BatchNorm2d):
    def __init__(self, channels):
        super().__init__(channels, eps=1e-12, momentum=0.4)
        self.weight.requires_grad = False


class Group(nn.Module):
    def __init__(self, inputs, width, convolutions):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(width if k else inputs, width, 3, padding=1, bias=False)
                                   for k in range(convolutions))
        self.norms = nn.ModuleList(Norm(width) for _ in range(convolutions))
        for conv in self.convs:
            nn.init.dirac_(conv.weight[: conv.weight.size(1)])

    def forward(self, x):
        last = len(self.convs) - 1
        for k, (conv, norm) in enumerate(zip(self.convs, self.norms)):
            x = conv(x)
            x = norm(F.max_pool2d(x, 2) if k == 0 else x)
            if k == last > 1:
                x = x + first  # residual where there are three
            x = F.gelu(x)
            if k == 0:
                first = x
        return x


class Network(nn.Module):
    def __init__(self, channels, widths, convolutions):
        super().__init__()
        self.whiten = nn.Conv2d(channels, 8 * channels, 2)
        self.whiten.weight.requires_grad = False
        inputs = [8 * channels, *widths[:-1]]
        self.groups = nn.ModuleList(Group(i, w, convolutions) for i, w in zip(inputs, widths))
        self.head = nn.Linear(widths[-1], 10, bias=False)

    def set_whitening(self, x):
        channels = x.shape[1]
        patches = x.unfold(2, 2, 1).unfold(3, 2, 1).transpose(1, 3).reshape(-1, channels, 2, 2).flatten(1)
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        filters = (vectors / (values + 5e-4).sqrt()).T.reshape(-1, channels, 2, 2)
        self.whiten.weight.data.copy_(torch.cat((filters, -filters)))
        self.whiten.bias.data.zero_()

    def forward(self, x):
        x = F.gelu(self.whiten(x))
        for group in self.groups:
            x = group(x)
        return self.head(x.amax((2, 3))) / 9


class Muon(torch.optim.Optimizer):
    def __init__(self, parameters, momentum=0.6):
        super().__init__(parameters, {"lr": 0.24, "momentum": momentum})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                sum_ = self.state[p].setdefault("sum", torch.zeros_like(p.grad))
                sum_.mul_(group["momentum"]).add_(p.grad)
                x = p.grad.add(sum_, alpha=group["momentum"]).reshape(len(p), -1).bfloat16()
                x = x / (x.norm() + 1e-7)
                tall = x.size(0) > x.size(1)
                x = x.T if tall else x
                for _ in range(3):
                    m = x @ x.T
                    x = 3.4445 * x + (-4.775 * m + 2.0315 * m @ m) @ x
                p.mul_(len(p) ** 0.5 / p.norm())
                p.add_((x.T if tall else x).view(p.shape), alpha=-group["lr"])


def moved(x, most):
    count, channels, height, width = x.shape
    wide = F.pad(x, (most,) * 4, "reflect")
    at = lambda size: torch.randint(0, 2 * most + 1, (count, 1), device=x.device) + torch.arange(size, device=x.device)
    rows, columns = at(height)[:, None, :, None], at(width)[:, None, None, :]
    index = lambda n, *shape: torch.arange(n, device=x.device).view(shape)
    return wide[index(count, -1, 1, 1, 1), index(channels, 1, -1, 1, 1), rows, columns]


def erased(x, side, probability):
    count, _, height, width = x.shape
    centre = lambda size: torch.randint(0, size, (count, 1, 1), device=x.device)
    down, right = torch.arange(height, device=x.device)[None, :, None], torch.arange(width, device=x.device)[None, None]
    inside = (abs(down - centre(height)) * 2 < side) & (abs(right - centre(width)) * 2 < side)
    return x.masked_fill((inside & (torch.rand(count, 1, 1, device=x.device) < probability))[:, None], 0)


def mixed(x, options, random):
    """x with its like moved on by one row in it, and the share that stays."""
    if options.mixup and random.random() < options.probability:
        share = random.beta(options.mixup, options.mixup)
        return share * x + (1 - share) * x.roll(1, 0), share
    if options.cutmix and random.random() < options.probability:
        height, width = x.shape[2:]
        side = math.sqrt(1 - random.beta(options.cutmix, options.cutmix))
        down, right, half_h, half_w = random.integers(height), random.integers(width), int(height * side) // 2, int(width * side) // 2
        top, bottom = max(down - half_h, 0), min(down + half_h, height)
        left, end = max(right - half_w, 0), min(right + half_w, width)
        x = x.clone()
        x[:, :, top:bottom, left:end] = x.roll(1, 0)[:, :, top:bottom, left:end]
        return x, 1 - (bottom - top) * (end - left) / (height * width)
    return x, 1.0


def measure(options, data, epochs):
    torch.manual_seed(options.seed)
    random = np.random.default_rng(1)
    x, y, test_x, test_y = data
    mean, deviation = (f(x.float(), dim=(0, 2, 3), keepdim=True) for f in (torch.mean, torch.std))
    x, test_x = ((v.float() - mean) / deviation for v in (x, test_x))
    network = Network(x.shape[1], options.widths, options.convolutions).to(x.device, memory_format=torch.channels_last)
    network.set_whitening(x[:5000])
    batch = options.batch
    steps_per_epoch = len(x) // batch
    steps = int(epochs * steps_per_epoch)
    rate, decay = 1.5 * batch / 1024, 1.33e-3 * 1024 / batch
    norms = [p for n in network.modules() if isinstance(n, Norm) for p in [n.bias]]
    filters = [c.weight for g in network.groups for c in g.convs]
    head, bias = [network.head.weight], [network.whiten.bias]
    if options.muon:
        rates = [0.053, 0.67, 0.053]
        sgd = torch.optim.SGD([{"params": p, "lr": r, "weight_decay": 2e-6 * batch / r}
                               for p, r in zip((norms, head, bias), rates)], momentum=0.85, nesterov=True)
        optimizers = [sgd, Muon(filters)]
        bases = [rates, [0.24]]
        schedule = lambda t: max(1 - t / steps, 1e-3)
    else:
        bases = [[64 * rate, rate, rate]]
        optimizers = [torch.optim.SGD([{"params": norms, "lr": rate, "weight_decay": decay / 64},
                                       {"params": filters + head, "lr": rate, "weight_decay": decay},
                                       {"params": bias, "lr": rate, "weight_decay": 0}], momentum=0.85, nesterov=True)]
        schedule = lambda t: (0.2 + 0.8 * t / steps / 0.23 if t < 0.23 * steps
                              else 0.07 + 0.93 * (1 - t / steps) / 0.77)
    flipped = torch.rand(len(x), device=x.device) < 0.5
    average = {k: v.clone() for k, v in network.state_dict().items() if v.is_floating_point()}
    began, t, epoch = time.time(), 0, 0
    while t < steps:
        network.train()
        order = torch.randperm(len(x), device=x.device)
        views = moved(x, options.crop) if options.crop else x
        views = torch.where((flipped ^ bool(epoch % 2))[:, None, None, None], views.flip(3), views)
        if options.erase:
            views = erased(views, options.erase, options.probability)
        for b in range(min(steps_per_epoch, steps - t)):
            rows = order[b * batch:(b + 1) * batch]
            for optimizer, base in zip(optimizers, bases):
                for group, r in zip(optimizer.param_groups, base):
                    group["lr"] = r * schedule(t)
            if epoch >= 3:
                optimizers[0].param_groups[2]["lr"] = 0
            pictures, share = mixed(views[rows], options, random)
            with torch.autocast(x.device.type, torch.bfloat16):
                out = network(pictures.contiguous(memory_format=torch.channels_last))
            loss = share * F.cross_entropy(out.float(), y[rows], label_smoothing=0.2)
            if share < 1:
                loss = loss + (1 - share) * F.cross_entropy(out.float(), y[rows].roll(1), label_smoothing=0.2)
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()
            network.zero_grad(set_to_none=True)
            t += 1
            if t % 5 == 0:  # lookahead
                kept = 0.95 ** 5 * (t / steps) ** 3
                with torch.no_grad():
                    for k, v in network.state_dict().items():
                        if k in average:
                            v.copy_(average[k].lerp_(v, 1 - kept))
        epoch += 1
    network.load_state_dict(average, strict=False)
    network.eval()
    right = {"one": 0, "mirror": 0, "six": 0}
    mirror = lambda v: 0.5 * network(v).float() + 0.5 * network(v.flip(3)).float()
    with torch.no_grad(), torch.autocast(x.device.type, torch.bfloat16):
        for v, classes in zip(test_x.split(2000), test_y.split(2000)):
            wide, (height, width) = F.pad(v, (1,) * 4, "reflect"), v.shape[2:]
            both = mirror(v)
            six = 0.5 * both + 0.25 * mirror(wide[:, :, :height, :width]) + 0.25 * mirror(wide[:, :, 2:, 2:])
            for name, answer in ("one", network(v).float()), ("mirror", both), ("six", six):
                right[name] += (answer.argmax(1) == classes).sum().item()
    return {**{k: v / len(test_x) for k, v in right.items()}, "seconds": round(time.time() - began, 1)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", choices=["cifar", "fashion"])
    parser.add_argument("folder", type=pathlib.Path)
    numbers = lambda kind: lambda text: [kind(part) for part in text.split(",")]
    parser.add_argument("--widths", type=numbers(int), default=[64, 256, 256])
    parser.add_argument("--epochs", type=numbers(float), default=[10])
    parser.add_argument("--convolutions", type=int, default=2)
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--muon", action="store_true")
    for name in "cutmix", "mixup", "erase":
        parser.add_argument("--" + name, type=float, default=0)
    parser.add_argument("--probability", type=float, default=1)
    parser.add_argument("--crop", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    if options.crop is None:
        options.crop = 2 if options.pictures == "cifar" else 1
    torch.backends.cudnn.benchmark = True
    data = [part.to(options.device) for part in {"cifar": cifar, "fashion": fashion}[options.pictures](options.folder)]
    settings = {k: v for k, v in vars(options).items() if k not in ("folder", "epochs", "device")}
    for epochs in options.epochs:
        print(json.dumps({**settings, "epochs": epochs, **measure(options, data, epochs)}), flush=True)


if __name__ == "__main__":
    main()
