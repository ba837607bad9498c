#!/usr/bin/env python3
"""Makes the pictures beside it, and values.txt: what Pillow (13.0) and torchvision (0.29) make of them.

    python3 make_pictures.py      needs pillow, numpy, torch, torchvision

A line of values.txt: FILE CHANNELS HEIGHTxWIDTH METHOD TOLERANCE and the pixels in hexadecimal digits, row by row. METHOD is
none, interpolate or crop_or_pad; TOLERANCE how many levels a value may differ by."""

import io
import os
import struct
import zlib

import numpy as np
import torch
import torchvision.transforms.functional as F
from PIL import Image, ImageOps

os.chdir(os.path.dirname(os.path.abspath(__file__)))
rng = np.random.default_rng(7)
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
lines = []


def smooth(h, w, c, noise=12):
    y, x = np.mgrid[0:h, 0:w].astype(float)
    planes = [127 + 100 * np.sin(x / w * (3 + k) + k) * np.cos(y / h * (4 - k) + k) for k in range(c)]
    out = np.stack(planes, -1) + rng.normal(0, noise, (h, w, c))
    return np.clip(out, 0, 255).astype(np.uint8)


def expect(name, channels, pixels, method="none", tolerance=0):
    pixels = np.asarray(pixels, np.uint8)
    h, w = pixels.shape[:2]
    assert pixels.size == h * w * channels, (name, pixels.shape)
    lines.append(f"{name} {channels} {h}x{w} {method} {tolerance} {pixels.tobytes().hex()}")


def decoded(name, channels, tolerance=0):
    picture = ImageOps.exif_transpose(Image.open(name)).convert(MODES[channels])
    expect(name, channels, picture, "none", tolerance)


def png(name, rows, bits, colour_type, extra=b""):
    """What Pillow does not write: rows are bytes as the file has them."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    h = len(rows)
    w = len(rows[0]) * 8 // bits // {0: 1, 2: 3, 4: 2, 6: 4}[colour_type]
    with open(name, "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, bits, colour_type, 0, 0, 0)) + extra
                  + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + chunk(b"IEND", b""))


# Every kind of PNG.
rgb, rgba = smooth(9, 14, 3), smooth(9, 14, 4)
Image.fromarray(rgb).save("rgb.png")
Image.fromarray(rgba, "RGBA").save("rgba.png")
Image.fromarray(rgb[..., 0]).save("grey.png")
Image.fromarray(rgba[..., :2].copy(), "LA").save("grey_alpha.png")
Image.fromarray(rgb[..., 0]).convert("1").save("bits.png")
Image.fromarray(rgb).quantize(13).save("palette.png")
Image.fromarray(rgba, "RGBA").quantize(9).save("palette_alpha.png")
for name in ("rgb.png", "rgba.png", "grey.png", "grey_alpha.png", "bits.png", "palette.png", "palette_alpha.png"):
    for channels in (1, 3):
        decoded(name, channels)
for name in ("rgb.png", "rgba.png", "grey_alpha.png", "palette_alpha.png"):
    decoded(name, 4)
decoded("grey_alpha.png", 2)
# 16 bits: the upper 8.
wide = rng.integers(0, 65536, (5, 7, 3)).astype(">u2")
png("grey16.png", [row.tobytes() for row in wide[..., 0]], 16, 0)
expect("grey16.png", 1, wide[..., 0] >> 8)
expect("grey16.png", 3, np.repeat((wide[..., :1] >> 8), 3, -1))
png("rgb16.png", [row.tobytes() for row in wide], 16, 2)
expect("rgb16.png", 3, wide >> 8)

# JPEG. Decoders may round differently by a level; luma and ycc->rgb->luma by two more.
photo = smooth(24, 30, 3, 3)
Image.fromarray(photo).save("plain.jpg", quality=92, subsampling=0)
Image.fromarray(photo).save("subsampled.jpg", quality=80, subsampling=2)
Image.fromarray(photo).save("progressive.jpg", quality=85, progressive=True)
Image.fromarray(photo[..., 1]).save("grey.jpg", quality=90)
Image.fromarray(photo).convert("CMYK").save("inks.jpg", quality=95)
for name in ("plain.jpg", "subsampled.jpg", "progressive.jpg", "grey.jpg"):
    decoded(name, 3, 1)
    decoded(name, 1, 3)
decoded("inks.jpg", 3, 1)

# The orientation that cameras write.
small = smooth(4, 6, 3, 0)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    name = f"turned{orientation}.png"
    Image.fromarray(small).save(name, exif=exif)
    decoded(name, 3)
    picture = ImageOps.exif_transpose(Image.open(name))
    expect(name, 1, picture.convert("L").resize((5, 3), Image.BILINEAR), "interpolate", 1)
exif = Image.Exif()
exif[0x0112] = 6
Image.fromarray(small).save("turned.jpg", quality=95, subsampling=0, exif=exif)
Image.fromarray(small).save("turned.webp", lossless=True, exif=exif)
decoded("turned.jpg", 3, 1)
decoded("turned.webp", 3)

# WebP.
Image.fromarray(rgb).save("lossless.webp", lossless=True)
Image.fromarray(rgba, "RGBA").save("alpha.webp", lossless=True, exact=True)
Image.fromarray(photo).save("lossy.webp", quality=80)
decoded("lossless.webp", 3)
decoded("lossless.webp", 1)
decoded("alpha.webp", 3)
decoded("alpha.webp", 4)
decoded("lossy.webp", 3, 1)

# BMP.
for name, mode in (("rgb.bmp", "RGB"), ("grey.bmp", "L"), ("bits.bmp", "1"), ("palette.bmp", "P"), ("rgba.bmp", "RGBA")):
    picture = Image.fromarray(rgba, "RGBA") if mode == "RGBA" else Image.fromarray(rgb)
    (picture.quantize(13) if mode == "P" else picture.convert(mode)).save(name)
    decoded(name, 3)
decoded("rgba.bmp", 4)

# PNM: as Pillow writes it, as text, and of 16 bits.
Image.fromarray(rgb).save("rgb.ppm")
Image.fromarray(rgb[..., 0]).save("grey.pgm")
Image.fromarray(rgb[..., 0]).convert("1").save("bits.pbm")
text = "P3\n# a comment\n14 9\n255\n" + "\n".join(" ".join(map(str, row.flatten())) for row in rgb) + "\n"
open("text.ppm", "w").write(text)
open("text.pgm", "w").write("P2 14 9 # a comment\n255\n" + " ".join(map(str, rgb[..., 0].flatten())) + "\n")
open("text.pbm", "w").write("P1\n6 2\n101100\n0 0 0 1 1 1\n")
open("fifteen.pgm", "wb").write(b"P5 4 1 15\n" + bytes([0, 5, 10, 15]))
expect("fifteen.pgm", 1, np.array([[0, 85, 170, 255]]))
open("wide.pgm", "wb").write(b"P5 3 1 65535\n" + struct.pack(">3H", 0, 65535, 257 * 9))
expect("wide.pgm", 1, np.array([[0, 255, 9]]))
for name in ("rgb.ppm", "grey.pgm", "bits.pbm", "text.ppm", "text.pgm"):
    decoded(name, 3)
expect("text.pbm", 1, 255 * np.array([[0, 1, 0, 0, 1, 1], [1, 1, 1, 0, 0, 0]]))
open("rgba.pam", "wb").write(b"P7\nWIDTH 14\nHEIGHT 9\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n" + rgba.tobytes())
expect("rgba.pam", 4, rgba)

# Resizing: to within a level of Pillow's bilinear, which is torchvision's resize with antialias.
large = smooth(47, 61, 3, 40)
Image.fromarray(large).save("large.png")
for h, w in ((16, 16), (8, 61), (47, 9), (60, 80), (47, 61), (1, 1), (33, 70)):
    for channels in (1, 3):
        picture = Image.open("large.png").convert(MODES[channels]).resize((w, h), Image.BILINEAR)
        tolerance = 0 if (h, w) == (47, 61) else 1
        expect("large.png", channels, picture, "interpolate", tolerance)
        tensor = torch.from_numpy(np.atleast_3d(np.array(Image.open("large.png").convert(MODES[channels])))).permute(2, 0, 1)
        resized = F.resize(tensor, [h, w], antialias=True).permute(1, 2, 0).numpy()
        assert np.abs(resized.astype(int) - np.atleast_3d(np.array(picture)).astype(int)).max() <= 1

# The middle, with edges repeated: torchvision's center_crop after a pad of half the difference, rounded down at the top
# and the left.
odd = smooth(7, 10, 3, 20)
Image.fromarray(odd).save("odd.png")
tensor = torch.from_numpy(odd).permute(2, 0, 1)
for h, w in ((4, 4), (5, 7), (10, 13), (9, 5), (2, 20), (4, 3)):
    dy, dx = max(h - 7, 0), max(w - 10, 0)
    padded = F.pad(tensor, [dx // 2, dy // 2, dx - dx // 2, dy - dy // 2], padding_mode="edge")
    expect("odd.png", 3, F.center_crop(padded, [h, w]).permute(1, 2, 0).numpy(), "crop_or_pad")

with open("values.txt", "w") as out:
    out.write("\n".join(lines) + "\n")
