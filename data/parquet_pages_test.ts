import { assertThrows } from "@std/assert";
import { parquetMetadataAsync } from "hyparquet";
import { checkPages } from "./parquet_pages.ts";

const FIXTURES = new URL("./fixtures/containers/", import.meta.url);

for (const name of ["uncompressed", "snappy", "gzip", "zstd"]) {
  Deno.test(`${name}.parquet: page headers are checked before pages are read`, async () => {
    const { buffer } = await Deno.readFile(new URL(`${name}.parquet`, FIXTURES));
    const { row_groups } = await parquetMetadataAsync({
      byteLength: buffer.byteLength,
      slice: (from, to) => buffer.slice(from, to),
    });
    for (const { columns, num_rows } of row_groups) {
      for (const { meta_data } of columns) {
        const from = Number(meta_data!.dictionary_page_offset ?? meta_data!.data_page_offset);
        const size = Number(meta_data!.total_compressed_size), rows = Number(num_rows);
        const chunk = buffer.slice(from, from + size);
        checkPages(chunk, from, rows);
        const damaged = `the page at byte ${from} has a damaged header`;
        assertThrows(() => checkPages(chunk, from, rows - 1), Error, "has a damaged header");
        for (const length of [2, 9, 20]) {
          assertThrows(() => checkPages(chunk.slice(0, length), from, rows), Error, damaged);
        }
      }
    }
  });
}
