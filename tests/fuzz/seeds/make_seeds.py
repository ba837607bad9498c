# Writes the binary seeds, with pyarrow 26: python make_seeds.py. Each begins with the byte that chooses the size of a
# block, as the other seeds do.
import io
import os
import pathlib
import sqlite3
import tempfile

import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent


def put(folder, name, content):
    (here / folder).mkdir(exist_ok=True)
    (here / folder / name).write_bytes(b"\x0a" + content)


put("table", "rows.csv.zst",
    pa.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(60)), codec="zstd", asbytes=True))
put("table", "utf16.csv", "name,n\nZürich,1\n北京,2\n".encode("utf-16"))
put("table", "gb18030.csv", "城市,评价\n北京,很好\n上海,不好\n".encode("gb18030"))
put("table", "latin1.tsv", "name\tn\nJosé\t1\nMüller\t2\n".encode("latin-1"))

rows = pa.table({
    "i": pa.array([1, None, 3]),
    "w": pa.array(["x", "y", None]).dictionary_encode(),
    "s": pa.array(["a", "bb", "c"]),
    "l": pa.array([[1.5], [], None]),
    "d": pa.array([1, 2, None], pa.date32()),
    "p": pa.array([{"x": 1}, None, {"x": 2}]),
})
for codec in ("none", "snappy", "zstd"):
    out = io.BytesIO()
    pq.write_table(rows, out, compression=codec, store_schema=codec != "none")
    put("columnar", f"{codec}.parquet", out.getvalue())
for codec in ("uncompressed", "lz4", "zstd"):
    out = io.BytesIO()
    pyarrow.feather.write_feather(rows, out, compression=codec)
    put("columnar", f"{codec}.feather", out.getvalue())
out = io.BytesIO()
with pyarrow.ipc.new_stream(out, rows.schema) as stream:
    stream.write_table(rows)
put("columnar", "rows.arrows", out.getvalue())

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "one.db")
    with sqlite3.connect(path) as db:
        db.execute("pragma page_size = 512")
        db.execute("create table t (a, b text)")
        db.executemany("insert into t values (?, ?)", [(1, "x"), (2.5, None), (b"blob", "y" * 700)])
    put("sqlite", "one.db", pathlib.Path(path).read_bytes())

# Pictures, and archives of them: those of the unit tests, archives without the padding at their end.
known = here / "../../unit/data/pictures"
for name in ("plain.jpg", "progressive.jpg", "inks.jpg", "turned.jpg", "palette_alpha.png", "rgb16.png", "turned6.png",
             "alpha.webp", "lossy.webp", "turned.webp", "rgba.bmp", "palette.bmp", "text.ppm", "bits.pbm", "rgba.pam"):
    put("picture", name, (known / name).read_bytes())


def put_plain(name, content):
    (here / "pictures").mkdir(exist_ok=True)
    (here / "pictures" / name).write_bytes(content)


for name in ("gnu.tar", "pax.tar"):
    put_plain(name, (known / name).read_bytes().rstrip(b"\0") + bytes(1024))
for name in ("pets.zip", "gbk.zip", "table.zip", "pets.tar.gz"):
    put_plain(name, (known / name).read_bytes())
put_plain("images-idx3-ubyte", b"\0\0\x08\x03" + b"\0\0\0\x03" + b"\0\0\0\x02" * 2 + b"aaaabbbbcccc")
header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, 2, 3), }".ljust(117) + b"\n"
put_plain("x.npy", b"\x93NUMPY\x01\x00" + bytes([len(header), 0]) + header + b"abcabcdefdef")
