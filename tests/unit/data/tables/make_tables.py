# Writes the binary tables beside it, with pyarrow 26 (pip install pyarrow):  python make_tables.py
# What must be read from them stands in columnar_test.cpp, as pandas and pyarrow print it.
import datetime as dt
import decimal
import pathlib

import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent
utc = dt.timezone.utc
types = pa.table({
    "i8": pa.array([1, -128, None], pa.int8()),
    "u64": pa.array([0, 2**64 - 1, None], pa.uint64()),
    "f16": pa.array([0.5, -2.0, None], pa.float16()),
    "f32": pa.array([0.1, float("nan"), None], pa.float32()),
    "f64": pa.array([0.1, 1e300, None], pa.float64()),
    "flag": pa.array([True, False, None]),
    "text": pa.array(["Zürich, \"x\"", "", None]),
    "large": pa.array(["a", "b\nc", None], pa.large_string()),
    "word": pa.array(["red", "blue", None]).dictionary_encode(),
    "bytes": pa.array([b"ab", b"c", None], pa.binary()),
    "day": pa.array([dt.date(2016, 7, 1), dt.date(1969, 12, 31), None], pa.date32()),
    "stamp_s": pa.array([dt.datetime(2016, 7, 1, 12, 30), dt.datetime(1960, 1, 1), None], pa.timestamp("s")),
    "stamp_us": pa.array([dt.datetime(2016, 7, 1, 12, 30, 0, 250000), dt.datetime(1969, 12, 31, 23, 59, 59), None],
                         pa.timestamp("us", "UTC")),
    "time": pa.array([dt.time(1, 2, 3), dt.time(23, 59, 59, 5000), None], pa.time64("us")),
    "price": pa.array([decimal.Decimal("1.50"), decimal.Decimal("-0.01"), None], pa.decimal128(10, 2)),
    "vector": pa.array([[1.5, 2.0], [], None], pa.list_(pa.float32())),
    "tags": pa.array([["a b", "c"], [], None], pa.list_(pa.string())),
    "pair": pa.array([{"x": 1, "y": "q\"t"}, {"x": None, "y": None}, None],
                     pa.struct([("x", pa.int32()), ("y", pa.string())])),
    "nothing": pa.nulls(3),
})
pq.write_table(types.drop_columns(["f16"]), here / "types.parquet", compression="zstd")
pyarrow.feather.write_feather(types, here / "types.feather", compression="lz4")
with pyarrow.ipc.new_stream(here / "types.arrows", types.schema) as stream:
    stream.write_table(types)

# Several row groups and pages, with snappy: row r holds r, r * 0.5 and a word of seven.
n = 5_000
rows = pa.table({
    "id": pa.array(range(n), pa.int32()),
    "half": pa.array([r * 0.5 for r in range(n)]),
    "word": pa.array([f"word{r % 7}" for r in range(n)]),
})
pq.write_table(rows, here / "rows.parquet", row_group_size=1500, data_page_size=4096)
pyarrow.feather.write_feather(rows.slice(0, 500), here / "rows.feather", compression="zstd", chunksize=200)

import sqlite3

for name in ("one.db", "two.db"):
    (here / name).unlink(missing_ok=True)
with sqlite3.connect(here / "one.db") as db:
    db.execute("pragma page_size = 512")
    db.execute("create table numbers (n)")
    db.executemany("insert into numbers values (?)", [(1,), (2,)])
with sqlite3.connect(here / "two.db") as db:
    db.execute("pragma page_size = 512")
    db.execute("create table people (id integer, name text, score real)")
    db.executemany("insert into people values (?, ?, ?)",
                   [(1, "Ann", 1.5), (2, "Zo\u00eb, \"q\"", None), (-2**63, b"blob", 0.1)])
    db.execute('create table "odd ""name""" (v)')
    db.execute('insert into "odd ""name""" values (7)')
    db.execute("create view scored as select * from people where score is not null")

# Two frames, as `cat a.zst b.zst` makes them.
csv = ["a,b\n" + "".join(f"{r},{r * 7919 % 10007}\n" for r in range(3000)), "3000,x\n"]
(here / "rows.csv.zst").write_bytes(b"".join(pa.compress(part.encode(), codec="zstd", asbytes=True) for part in csv))
