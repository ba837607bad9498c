"""Makes augment_values.txt: what torchvision's operations on Pillow pictures make of one picture at given magnitudes.

    python tests/unit/ops/augment_torchvision.py      (needs torchvision and Pillow)

Each line is a name, a magnitude, the number of channels and the levels in hexadecimal. The picture is a formula
(level below), which the test repeats.
"""
import os

import numpy as np
import PIL
import torchvision
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F
from torchvision.transforms.autoaugment import _apply_op

HEIGHT, WIDTH = 20, 17


def level(y, x, c):
    return 25 + (7 * y + 13 * x + 41 * c + 5 * (y * x % 17) + (3 * y + c) * x % 11) % 200


def picture(channels):
    levels = [[[level(y, x, c) for c in range(channels)] for x in range(WIDTH)] for y in range(HEIGHT)]
    array = np.array(levels, dtype=np.uint8)
    return Image.fromarray(array if channels == 3 else array[:, :, 0])


def operation(name):
    return lambda p, magnitude: _apply_op(p, name, magnitude, InterpolationMode.BILINEAR, None)


CASES = [
    ("shear_x", operation("ShearX"), [0.3, -0.21], [3, 1]),
    ("shear_y", operation("ShearY"), [-0.3, 0.99], [3]),
    ("translate_x", operation("TranslateX"), [3.7, -5.0], [3]),
    ("translate_y", operation("TranslateY"), [4.0, -2.9], [3]),
    ("rotate", operation("Rotate"), [17.0, -101.0], [3, 1]),
    ("brightness", operation("Brightness"), [0.41, -0.62], [3, 1]),
    ("color", operation("Color"), [0.71, -0.33], [3]),
    ("contrast", operation("Contrast"), [0.52, -0.75], [3, 1]),
    ("sharpness", operation("Sharpness"), [0.9, -0.9], [3, 1]),
    ("posterize", operation("Posterize"), [3, 5], [3]),
    ("solarize", operation("Solarize"), [127.5, 60.0], [3]),
    ("autocontrast", operation("AutoContrast"), [0], [3, 1]),
    ("equalize", operation("Equalize"), [0], [3, 1]),
    ("invert", lambda p, _: F.invert(p), [0], [3]),
    ("blur", lambda p, size: F.gaussian_blur(p, int(size)), [3, 5], [3]),
    ("flip", lambda p, _: F.hflip(p), [0], [3]),
]


def main():
    path = os.path.join(os.path.dirname(__file__), "augment_values.txt")
    with open(path, "w") as out:
        out.write(f"# torchvision {torchvision.__version__}, Pillow {PIL.__version__}, made by augment_torchvision.py\n")
        for name, make, magnitudes, channels in CASES:
            for magnitude in magnitudes:
                for c in channels:
                    levels = np.asarray(make(picture(c), magnitude)).astype(np.uint8).tobytes().hex()
                    out.write(f"{name} {magnitude} {c} {levels}\n")


main()
