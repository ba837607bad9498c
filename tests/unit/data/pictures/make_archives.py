#!/usr/bin/env python3
"""Makes the archives beside it with Python's tarfile and zipfile: the same five pictures of one pixel in each, whose values
tell which they are, under names that try an archive's ways of writing them."""

import io
import os
import tarfile
import zipfile

os.chdir(os.path.dirname(os.path.abspath(__file__)))
LONG = "pets/dogs/" + "a very long name " * 9 + "/b.pgm"
FILES = {
    "pets/cats/1 with space.pgm": 1,
    "pets/cats/猫.pgm": 2,
    LONG: 3,
    "pets/dogs/a.pgm": 4,
    "./pets//dogs/c.pgm": 5,
}
OTHERS = {"pets/README": b"about them", "pets/cats/.hidden.pgm": b"P5 1 1 255\n\x09", "__MACOSX/pets/cats/1.pgm": b"?"}


def pgm(value):
    # Long enough to be worth deflating.
    return b"P5\n" + b"# a comment that says nothing\n" * 8 + b"1 1 255\n" + bytes([value])


def members():
    for name, value in FILES.items():
        yield name, pgm(value)
    yield from OTHERS.items()


def write_tar(path, mode, form, link=False, more=()):
    with tarfile.open(path, mode, format=form) as tar:
        folder = tarfile.TarInfo("pets/cats")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, data in (*members(), *more):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        if link:
            info = tarfile.TarInfo("pets/cats/link.pgm")
            info.type = tarfile.SYMTYPE
            info.linkname = "../../../../etc/passwd"
            tar.addfile(info)


write_tar("gnu.tar", "w", tarfile.GNU_FORMAT, link=True, more=[("../../outside.pgm", pgm(9))])
write_tar("pax.tar", "w", tarfile.PAX_FORMAT)
write_tar("pets.tar.gz", "w:gz", tarfile.USTAR_FORMAT if len(LONG) < 100 else tarfile.PAX_FORMAT)


def write_zip(path, rename=lambda name: name, more=()):
    with zipfile.ZipFile(path, "w") as archive:
        for i, (name, data) in enumerate((*members(), *more)):
            info = zipfile.ZipInfo(rename(name))
            info.compress_type = zipfile.ZIP_DEFLATED if i % 2 == 0 else zipfile.ZIP_STORED
            archive.writestr(info, data)


write_zip("pets.zip", more=[("../outside.pgm", pgm(9))])

# Names in GB18030, as Chinese Windows writes them: they are put in by hand, as zipfile writes UTF-8.
write_zip("gbk.zip", lambda name: name.replace("猫", "一只小猫的照片"))
data = open("gbk.zip", "rb").read()
old, new = "一只小猫的照片".encode(), "一只小猫的照片".encode("gb18030")
new += b"x" * (len(old) - len(new))
data = data.replace(old, new)
out = bytearray(data)
for kind, at in ((b"PK\1\2", 8), (b"PK\3\4", 6)):  # the flag that says UTF-8
    begin = out.find(kind)
    while begin >= 0:
        out[begin + at + 1] &= 0xF7
        begin = out.find(kind, begin + 1)
open("gbk.zip", "wb").write(out)

# A table beside its pictures.
TABLE = "file,kind\nphotos/1.pgm,cat\nphotos/2.pgm,dog\n./photos/1.pgm,cat\nnone.pgm,dog\n".encode()
with zipfile.ZipFile("table.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("data/table.csv", TABLE)
    archive.writestr("data/photos/1.pgm", pgm(1))
    archive.writestr("data/photos/2.pgm", pgm(2))

# What is a zip too.
with zipfile.ZipFile("book.xlsx", "w") as archive:
    archive.writestr("[Content_Types].xml", "<Types/>")
    archive.writestr("xl/workbook.xml", "<workbook/>")
