"""Makes vision_training.txt: the loss (the mean square of the features) in training mode, the norm of its gradient in
all weights, and its slope along one direction of weights, of networks and numbers as vision.py has them.

    python tests/plans/vision_training.py      (needs torchvision and timm)

Gradients are in f64. Stochastic depth is off.
"""
import os

import torch
import torchvision
from torchvision import models

import vision

NETWORKS = {
    "resnet 18 small": (32, lambda: vision.small_stem(models.resnet18())),
    "resnext of_4": (64, lambda: models.ResNet(models.resnet.Bottleneck, [1, 1, 1, 1], groups=32, width_per_group=4)),
    "mobilenetv2 base": (64, lambda: models.mobilenet_v2(dropout=0.0)),
    "mobilenetv3 small": (64, lambda: models.mobilenet_v3_small(dropout=0.0)),
    "efficientnet b0": (64, lambda: models.efficientnet_b0(dropout=0.0, stochastic_depth_prob=0.0)),
    "convnext tiny": (64, lambda: models.convnext_tiny(stochastic_depth_prob=0.0)),
    "vit of_2": (32, vision.small_vit),
    "mlp_mixer of_2": (32, lambda: vision.mixer("of_2")),
}


def main():
    with open(os.path.join(os.path.dirname(__file__), "vision_training.txt"), "w") as out:
        out.write(f"# torchvision {torchvision.__version__}, torch {torch.__version__}, made by vision_training.py\n")
        for name, (side, make) in NETWORKS.items():
            network = vision.headless(vision.fill(make())).train().double()
            x = vision.numbers("pictures", vision.ROWS * side * side * 3).reshape(vision.ROWS, side, side, 3)
            loss = network(torch.from_numpy(x).double().permute(0, 3, 1, 2).contiguous()).square().mean()
            loss.backward()
            norm = slope = 0.0
            for key, p in network.named_parameters():
                if p.grad is None:
                    continue
                norm += p.grad.square().sum().item()
                direction = torch.from_numpy(vision.numbers("along " + key, p.numel())).reshape(p.shape)
                slope += (p.grad * direction).sum().item()
            out.write(f"{name} | {side} {loss.item():.9g} {norm**0.5:.9g} {slope:.9g}\n")
            print(name, loss.item(), norm**0.5, slope)


main()
