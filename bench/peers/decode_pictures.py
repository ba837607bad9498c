#!/usr/bin/env python3
"""Decodes every picture of a tar archive or a folder and makes it one size, on one thread, with Pillow or torchvision.

    decode_pictures.py pillow|torchvision SOURCE HEIGHT WIDTH [--reduce]

The encoded files are in memory before the clock starts. --reduce: as Image.draft and decode at a fraction, where the
picture stays half as large again as asked. One JSON line."""

import argparse
import io
import json
import pathlib
import tarfile
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("peer", choices=["pillow", "torchvision"])
parser.add_argument("source")
parser.add_argument("height", type=int)
parser.add_argument("width", type=int)
parser.add_argument("--reduce", action="store_true")
args = parser.parse_args()

ENDINGS = (".jpg", ".jpeg", ".png", ".pgm")
begin = time.monotonic()
if pathlib.Path(args.source).is_dir():
    files = [path.read_bytes() for path in sorted(pathlib.Path(args.source).rglob("*")) if path.suffix in ENDINGS]
else:
    with tarfile.open(args.source) as tar:
        files = [tar.extractfile(member).read() for member in tar if member.name.endswith(ENDINGS)]
opened = time.monotonic()

if args.peer == "pillow":
    import numpy as np
    from PIL import Image

    def decode(data):
        picture = Image.open(io.BytesIO(data))
        if args.reduce:
            picture.draft("RGB", (args.width * 3 // 2, args.height * 3 // 2))
        return np.asarray(picture.convert("RGB").resize((args.width, args.height), Image.BILINEAR))
else:
    import torch
    import torchvision.io
    import torchvision.transforms.functional as F

    torch.set_num_threads(1)

    def decode(data):
        tensor = torchvision.io.decode_image(torch.frombuffer(bytearray(data), dtype=torch.uint8),
                                             torchvision.io.ImageReadMode.RGB)
        return F.resize(tensor, [args.height, args.width], antialias=True)

decode(files[0])
begin_decoding, cpu = time.monotonic(), time.process_time()
for data in files:
    decode(data)
seconds, cpu = time.monotonic() - begin_decoding, time.process_time() - cpu
print(json.dumps({"peer": args.peer, "pictures": len(files), "open_seconds": round(opened - begin, 3),
                  "pictures_a_second": round(len(files) / seconds), "a_cpu_second": round(len(files) / cpu)}))
