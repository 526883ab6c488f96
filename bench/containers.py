#!/usr/bin/env python3
"""Writes the images of a zip as a folder, an LMDB and a Parquet file, for bench/data.ts; or a zip with each many times.

  python3 bench/containers.py ZIP FOLDER [TIMES]

Makes FOLDER/images, FOLDER/lmdb, FOLDER/images.parquet, and with TIMES FOLDER/many.zip. Needs Debian's python3-lmdb and
deno (which gets hyparquet-writer 0.17.0 from npm).
"""

import pathlib
import shutil
import subprocess
import sys
import zipfile

import lmdb

PARQUET = """
import { parquetWriteBuffer } from "npm:hyparquet-writer@0.17.0";
const [folder, to] = Deno.args, names = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
const data = names.map((path) => ({ bytes: Deno.readFileSync(folder + "/" + path), path }));
const schema = [
  { name: "root", num_children: 1 },
  { name: "image", num_children: 2, repetition_type: "OPTIONAL" },
  { name: "bytes", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
  { name: "path", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
];
const made = parquetWriteBuffer({ columnData: [{ name: "image", data }], schema, codec: "SNAPPY", rowGroupSize: 1000 });
Deno.writeFileSync(to, new Uint8Array(made));
"""


def main():
    source, folder = zipfile.ZipFile(sys.argv[1]), pathlib.Path(sys.argv[2])
    images = folder / "images"
    images.mkdir(parents=True)
    names = sorted(name for name in source.namelist() if not name.endswith("/"))
    for name in names:
        (images / pathlib.Path(name).name).write_bytes(source.read(name))
    with lmdb.open(str(folder / "lmdb"), map_size=1 << 36) as database, database.begin(write=True) as transaction:
        for name in names:
            transaction.put(name.encode(), source.read(name))
    subprocess.run([shutil.which("deno") or "deno", "run", "-A", "--no-config", "-", images, folder / "images.parquet"],
                   input=PARQUET.encode(), check=True)
    if len(sys.argv) > 3:
        with zipfile.ZipFile(folder / "many.zip", "w") as many:
            for turn in range(int(sys.argv[3])):
                for name in names:
                    many.writestr(f"{turn:03}/{pathlib.Path(name).name}", source.read(name))


if __name__ == "__main__":
    main()
