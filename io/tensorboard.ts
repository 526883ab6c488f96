/**
 * Writes scalars and images to a file that TensorBoard shows.
 *
 * The file is a row of records, each framed by its length and masked CRC-32C sums; a record is a
 * protocol buffer `Event`.
 *
 * @see https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/lib/io/record_writer.cc
 * @see https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto
 * @module
 */
import { join } from "@std/path";
import crc32c from "crc-32/crc32c.js";
import { PbfWriter } from "pbf";
import { named } from "./write_atomically.ts";

/** Fields of `Event`, `Summary`, `Summary.Value`, `Summary.Image` and `SessionLog`. */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 };
const SUMMARY = { value: 1 };
const VALUE = { tag: 1, simpleValue: 2, image: 4 };
const IMAGE = { height: 1, width: 2, colorspace: 3, encoded: 4 };
const SESSION = { status: 1, start: 1 };
const RGB = 3;

/** CRC-32C, turned and shifted, since a sum of bytes that hold sums is a poor sum. */
function maskedSum(bytes: Uint8Array): number {
  const sum = crc32c.buf(bytes) >>> 0;
  return (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;
}

/** `length (8) | sum of length (4) | data | sum of data (4)`, little endian. */
function frame(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setUint32(0, data.length, true);
  view.setUint32(8, maskedSum(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedSum(data), true);
  return record;
}

function writeScalar([tag, height]: [string, number], value: PbfWriter): void {
  value.writeStringField(VALUE.tag, tag);
  value.writeFloatField(VALUE.simpleValue, height);
}

function writeImage({ tag, png }: { tag: string; png: Uint8Array }, value: PbfWriter): void {
  value.writeStringField(VALUE.tag, tag);
  value.writeMessage(VALUE.image, writePng, png);
}

function writePng(png: Uint8Array, image: PbfWriter): void {
  // Width and height come first in a PNG, after 16 bytes that are always the same.
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  image.writeVarintField(IMAGE.height, view.getUint32(20));
  image.writeVarintField(IMAGE.width, view.getUint32(16));
  image.writeVarintField(IMAGE.colorspace, RGB);
  image.writeBytesField(IMAGE.encoded, png);
}

function writeSession(status: number, log: PbfWriter): void {
  log.writeVarintField(SESSION.status, status);
}

/** One event file. Close it, or `using` it. */
export class EventFile implements Disposable {
  /** Path of the file. */
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #now: () => number;

  /**
   * Makes a new file; a run that resumes has one more.
   *
   * @param folder Folder of the run.
   * @param images Images shown so far. TensorBoard forgets points from there on that an earlier
   *   file of the run holds.
   * @param now Milliseconds since 1970.
   */
  constructor(folder: string, images = 0, now: () => number = Date.now) {
    const seconds = Math.floor(now() / 1000);
    this.path = join(folder, `events.out.tfevents.${seconds}.${Deno.hostname()}`);
    this.#now = now;
    this.#file = Deno.openSync(this.path, { append: true, create: true });
    this.#write((event) => event.writeStringField(EVENT.fileVersion, "brain.Event:2"));
    this.#write((event) => {
      event.writeVarintField(EVENT.step, images);
      event.writeMessage(EVENT.sessionLog, writeSession, SESSION.start);
    });
  }

  /**
   * Adds one point to each of some curves.
   *
   * @param images Images shown: the horizontal axis.
   * @param values Heights by name of the curve, e.g. `{ "loss/G": 0.7 }`.
   */
  scalars(images: number, values: Readonly<Record<string, number>>): void {
    this.#summary(images, (summary) => {
      for (const scalar of Object.entries(values)) {
        summary.writeMessage(SUMMARY.value, writeScalar, scalar);
      }
    });
  }

  /**
   * Adds an image.
   *
   * @param images Images shown.
   * @param tag Name under which the images of a row are shown.
   * @param png Bytes of an RGB image.
   */
  image(images: number, tag: string, png: Uint8Array): void {
    this.#summary(images, (summary) => {
      summary.writeMessage(SUMMARY.value, writeImage, { tag, png });
    });
  }

  /** Closes the file. */
  close(): void {
    this.#file.close();
  }

  /** Closes the file at the end of a `using` scope. */
  [Symbol.dispose](): void {
    this.close();
  }

  #summary(images: number, fill: (summary: PbfWriter) => void): void {
    this.#write((event) => {
      event.writeVarintField(EVENT.step, images);
      event.writeMessage(EVENT.summary, (fill, summary) => fill(summary), fill);
    });
  }

  #write(fill: (event: PbfWriter) => void): void {
    const event = new PbfWriter();
    event.writeDoubleField(EVENT.wallTime, this.#now() / 1000);
    fill(event);
    const record = frame(event.finish());
    try {
      for (let at = 0; at < record.length;) at += this.#file.writeSync(record.subarray(at));
    } catch (error) {
      throw named(error, this.path);
    }
  }
}
