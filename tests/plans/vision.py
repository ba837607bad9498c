"""Makes vision.txt: what torchvision's networks (timm's mixer) give for weights and pictures of one formula.

    python tests/plans/vision.py [NETWORK...]      (needs torchvision and timm)

A tensor's element i is u(hash(name) + i), u being 32 mixed bits as a number in [-1, 1), times what keeps activations
in the range of ordinary ones (filled below). Each line: the network, the pictures' side, how many features a picture
has, their mean and standard deviation, and every n-th of them, row by row. Only these are stored; the test makes
the weights itself.
"""
import os
import sys

import numpy as np
import timm
import torch
import torchvision
from torch import nn
from torchvision import models

ROWS, SHOWN = 2, 16


def hash_of(name):
    h = 2166136261
    for c in name.encode():
        h = (h ^ c) * 16777619 % 2**32
    return h


def numbers(name, count):
    """Uniform in [-1, 1): the finalizer of MurmurHash3 over a counter."""
    x = (np.arange(count, dtype=np.uint64) + np.uint64(hash_of(name))).astype(np.uint32)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    return (x >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1)


def filled(name, shape):
    u = numbers(name, int(np.prod(shape)))
    if len(shape) >= 2 and "pos_embedding" not in name and "class_token" not in name and "layer_scale" not in name:
        # N(0, 1 / fan_in) in its variance, a little more for what an activation takes away.
        u = u * np.float32(np.sqrt(4.5 / np.prod(shape[1:])))
    elif name.endswith("running_var"):
        u = np.float32(1) + np.float32(0.5) * u
    elif name.endswith("weight") or "layer_scale" in name:
        u = np.float32(0.75) + np.float32(0.25) * u
    else:
        u = np.float32(0.25) * u
    return torch.from_numpy(u.astype(np.float32).reshape(shape))


def fill(network):
    state = network.state_dict()
    network.load_state_dict({k: v if v.dtype == torch.int64 else filled(k, tuple(v.shape)) for k, v in state.items()})
    return network.eval()


def small_stem(network):
    network.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    network.maxpool = nn.Identity()
    return network


def headless(network):
    if hasattr(network, "fc"):
        network.fc = nn.Identity()
    elif hasattr(network, "heads"):
        network.heads = nn.Identity()
    elif hasattr(network, "classifier") and not isinstance(network, timm.models.mlp_mixer.MlpMixer):
        network.classifier[-1] = nn.Identity()
    return network


def small_vit():
    return models.VisionTransformer(image_size=32, patch_size=8, num_layers=2, num_heads=4, hidden_dim=64, mlp_dim=128)


def mixer(variant):
    if variant == "of_2":
        return timm.models.mlp_mixer.MlpMixer(num_classes=0, img_size=32, patch_size=8, embed_dim=64, num_blocks=2)
    sizes = {"s": (512, 8), "b": (768, 12), "l": (1024, 24)}[variant[0]]
    return timm.models.mlp_mixer.MlpMixer(num_classes=0, img_size=96, patch_size=int(variant[1:]), embed_dim=sizes[0], num_blocks=sizes[1])


NETWORKS = {
    "resnet 18": (64, lambda: models.resnet18()),
    "resnet 18 small": (32, lambda: small_stem(models.resnet18())),
    "resnet 34": (64, lambda: models.resnet34()),
    "resnet 50": (64, lambda: models.resnet50()),
    "resnet 101": (64, lambda: models.resnet101()),
    "resnet 152": (64, lambda: models.resnet152()),
    "wide_resnet 50_2": (64, lambda: models.wide_resnet50_2()),
    "wide_resnet 101_2": (64, lambda: models.wide_resnet101_2()),
    "resnext 50_32x4d": (64, lambda: models.resnext50_32x4d()),
    "resnext 101_32x8d": (64, lambda: models.resnext101_32x8d()),
    "resnext 101_64x4d": (64, lambda: models.resnext101_64x4d()),
    "mobilenetv2 base": (64, lambda: models.mobilenet_v2()),
    "mobilenetv3 small": (64, lambda: models.mobilenet_v3_small()),
    "mobilenetv3 large": (64, lambda: models.mobilenet_v3_large()),
    **{f"efficientnet b{i}": (64, lambda i=i: getattr(models, f"efficientnet_b{i}")()) for i in range(8)},
    **{f"efficientnet v2_{s}": (64, lambda s=s: getattr(models, f"efficientnet_v2_{s}")()) for s in "sml"},
    **{f"convnext {s}": (64, lambda s=s: getattr(models, f"convnext_{s}")()) for s in ("tiny", "small", "base", "large")},
    "vit of_2": (32, small_vit),
    "vit b_16": (64, lambda: models.vit_b_16(image_size=64)),
    "vit b_32": (96, lambda: models.vit_b_32(image_size=96)),
    "vit l_16": (64, lambda: models.vit_l_16(image_size=64)),
    "vit l_32": (96, lambda: models.vit_l_32(image_size=96)),
    "vit h_14": (56, lambda: models.vit_h_14(image_size=56)),
    "mlp_mixer of_2": (32, lambda: mixer("of_2")),
    **{f"mlp_mixer {v}": (96, lambda v=v: mixer(v)) for v in ("s32", "s16", "b32", "b16", "l32", "l16")},
}


def line(name):
    side, make = NETWORKS[name]
    network = headless(fill(make()))
    # Channels last, as the test has them.
    x = torch.from_numpy(numbers("pictures", ROWS * side * side * 3).reshape(ROWS, side, side, 3))
    with torch.no_grad():
        y = network(x.permute(0, 3, 1, 2).contiguous()).double().numpy()
    every = y.shape[1] // SHOWN
    shown = " ".join(f"{v:.7g}" for v in y[:, ::every][:, :SHOWN].ravel())
    print(name, y.shape, y.mean(), y.std(), file=sys.stderr)
    return f"{name} | {side} {y.shape[1]} {every} {y.mean():.7g} {y.std():.7g} {shown}\n"


def main():
    """All anew, or only the networks that are named; the lines of the others stay."""
    path = os.path.join(os.path.dirname(__file__), "vision.txt")
    lines = {}
    if sys.argv[1:]:
        with open(path) as file:
            lines = {text.split(" | ")[0]: text for text in file if not text.startswith("#")}
    for name in sys.argv[1:] or NETWORKS:
        lines[name] = line(name)
        with open(path, "w") as file:
            versions = f"torchvision {torchvision.__version__}, torch {torch.__version__}, timm {timm.__version__}"
            file.write(f"# {versions}, made by vision.py\n")
            file.writelines(lines[n] for n in NETWORKS if n in lines)


if __name__ == "__main__":
    main()
