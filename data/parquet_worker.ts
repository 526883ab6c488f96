/**
 * Reads Parquet on another thread: see `parquet_reader.ts`.
 *
 * @module
 */
import { on } from "node:events";
import { isMainThread, type MessagePort, parentPort } from "node:worker_threads";
import { openBytes } from "./bytes.ts";
import { DataError } from "./errors.ts";
import type { Labels } from "./labels.ts";
import { openParquet, type ParquetFile, type RowGroup } from "./parquet.ts";
import type { Message } from "./watched_worker.ts";

/** What is wanted of a file: what it holds, or the images of a row group. */
export type Request = { path: string; group?: number };

/** What a file holds. */
export interface Contents {
  starts: number[];
  count: number;
  labels: Labels | undefined;
}

/** A file that is open. */
interface Open {
  path: string;
  file: ParquetFile;
  close(): void;
}

// Bytes of a file that are read or decompressed in a second, at least.
const SLOWEST = 2 ** 23;

async function openAt(path: string): Promise<Open> {
  const bytes = openBytes(path), close = () => bytes.close();
  const alive = (size: number) => say({ alive: true, seconds: size / SLOWEST });
  const upTo = (offset: number, length: number) => {
    alive(length);
    return bytes.upTo(offset, length);
  };
  try {
    return { path, file: await openParquet({ ...bytes, upTo }, path, alive), close };
  } catch (error) {
    close();
    throw error;
  }
}

function say(message: Message<Contents | RowGroup>, buffers: ArrayBuffer[] = []): void {
  parentPort!.postMessage(message, buffers);
}

async function answer(file: ParquetFile, group: number | undefined): Promise<void> {
  if (group === undefined) {
    const { starts, count } = file;
    say({ answer: { starts, count, labels: await file.labels() } });
    return;
  }
  const found = await file.group(group);
  say({ answer: found }, [found.bytes.buffer, found.ends.buffer]);
}

/** Answers one request after another. */
async function serve(port: MessagePort): Promise<void> {
  let open: Open | undefined;
  for await (const [{ path, group }] of on(port, "message") as AsyncIterable<[Request]>) {
    try {
      if (open?.path !== path) {
        open?.close();
        open = undefined;
        open = await openAt(path);
      }
      await answer(open.file, group);
    } catch (error) {
      say({ refused: (error as Error).message, isTold: error instanceof DataError });
    }
  }
}

// Imported for its types, this file runs in no worker and must not listen. Not awaited: Deno 2.9.6 would leave
// handles of a worker that is ended before its module is.
if (!isMainThread && parentPort) void serve(parentPort);
