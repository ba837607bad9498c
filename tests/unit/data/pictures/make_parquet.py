#!/usr/bin/env python3
"""Makes photos.parquet with pyarrow (26): pictures as bytes, and as datasets of Hugging Face hold them."""

import os

import pyarrow as pa
import pyarrow.parquet as pq

os.chdir(os.path.dirname(os.path.abspath(__file__)))
pictures = [open(name, "rb").read() for name in ("rgb.png", "plain.jpg", "grey.pgm")]
struct = pa.array([{"bytes": pictures[0], "path": "a.png"}, {"bytes": None, "path": "plain.jpg"}, None],
                  pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
pq.write_table(pa.table({"image": struct, "raw": pa.array(pictures, pa.binary()), "label": ["a", "b", "c"]}), "photos.parquet")
