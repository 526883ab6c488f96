import { assertThrows } from "@std/assert";
import { parquetMetadataAsync } from "hyparquet";
import { checkGroups, checkPages } from "./parquet_pages.ts";

const FIXTURES = new URL("./fixtures/containers/", import.meta.url);

/** A fixture with what it holds. */
async function fixture(name: string) {
  const { buffer } = await Deno.readFile(new URL(`${name}.parquet`, FIXTURES));
  const slice = (from: number, to?: number) => buffer.slice(from, to);
  return { buffer, metadata: await parquetMetadataAsync({ byteLength: buffer.byteLength, slice }) };
}

Deno.test("row groups need rows, and columns of the schema", async () => {
  const { metadata } = await fixture("snappy"), [first] = metadata.row_groups;
  checkGroups(metadata);
  const refused = (group: unknown, message: string) =>
    assertThrows(
      () => checkGroups({ ...metadata, row_groups: [first, group as typeof first] }),
      Error,
      message,
    );
  for (const num_rows of [-1n, undefined]) {
    refused({ ...first, num_rows }, "row group 1 declares no possible number of rows");
  }
  const meta_data = { ...first.columns[0].meta_data!, path_in_schema: ["image", "elsewhere"] };
  const columns = [{ ...first.columns[0], meta_data }];
  refused({ ...first, columns }, "row group 1 has a column that its schema has not");
});

for (const name of ["uncompressed", "snappy", "gzip", "zstd"]) {
  Deno.test(`${name}.parquet: page headers are checked before pages are read`, async () => {
    const { buffer, metadata } = await fixture(name);
    for (const { columns, num_rows } of metadata.row_groups) {
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
