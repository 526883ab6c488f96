import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { duration } from "../train/duration.ts";
import { isWideTerminal, Progress, type ProgressStyle, Rate } from "./progress.ts";
import { progressLine } from "./progress_line.ts";

const STATE = {
  images: 12_800,
  total: 200_000,
  rate: 412.4,
  real: 0.712,
  fake: 0.281,
  lossG: 1.62,
};
const LINE = "12.8/200.0 kimg  6%  7m 34s left  412 img/s  D real 0.71 fake 0.28  G 1.62";

/** A progress with a clock to set, and what it wrote. */
function open(
  style: ProgressStyle,
): { progress: Progress; texts: string[]; clock: { ms: number } } {
  const texts: string[] = [];
  const clock = { ms: 0 };
  const write = (text: string) => texts.push(text);
  const progress = new Progress({ style, write, width: () => 21, now: () => clock.ms });
  return { progress, texts, clock };
}

Deno.test("progress: durations", () => {
  const cases: [number, string][] = [
    [0, "0s"],
    [-3, "0s"],
    [59.4, "59s"],
    [59.6, "1m 00s"],
    [187, "3m 07s"],
    [3599.6, "1h 00m"],
    [3900, "1h 05m"],
    [86_399, "1d 00h"],
    [183_600, "2d 03h"],
    [Infinity, "?"],
    [NaN, "?"],
  ];
  for (const [seconds, text] of cases) assertEquals(duration(seconds), text);
});

Deno.test("progress: the line tells what is known, and no more", () => {
  assertEquals(progressLine(STATE), LINE);
  assertEquals(progressLine({ images: 0, total: 1000 }), "0.00/1.00 kimg  0%");
  assertEquals(
    progressLine({ images: 25_000_000, total: 25_000_000, fake: -12.34, note: "128\npx" }),
    "25000/25000 kimg  100%  D fake -12.3  128 px",
  );
  assertEquals(
    progressLine({ images: 1, total: 2000, rate: 0 }),
    "0.00/2.00 kimg  0%  ? left  0.00 img/s",
  );
  assertEquals(progressLine({ images: 0, total: 0, lossG: NaN }), "0.00/0.00 kimg  100%  G NaN");
});

Deno.test("progress: the line is cut to the width", () => {
  assertEquals(progressLine(STATE, 50), LINE.slice(0, 49) + "…");
  assertEquals(progressLine(STATE, 15), "12.8/200.0 kim…");
  for (let width = 1; width < 90; width++) assert(progressLine(STATE, width).length <= width);
});

Deno.test("progress: the rate is smoothed, follows a change, and leaves a pause out", () => {
  const rate = new Rate();
  assertEquals(rate.read(0, 10), undefined);
  assertEquals(rate.read(0, 10), undefined);
  assertAlmostEquals(rate.read(300, 13)!, 100);
  for (let s = 14; s < 200; s++) rate.read(300 + 100 * (s - 13), s);
  rate.pause();
  rate.read(19_000, 5000);
  assertAlmostEquals(rate.read(19_100, 5001)!, 100, 1e-9);
  const once = rate.read(19_300, 5002)!;
  assert(once > 104 && once < 106, `one reading of 200 among 100: got ${once}`);
  let last = 0;
  for (let s = 1; s < 200; s++) last = rate.read(19_300 + 200 * s, 5002 + s)!;
  assertAlmostEquals(last, 200, 0.1);
});

Deno.test("progress: a terminal has one line, cut, and written over", () => {
  const { progress, texts, clock } = open("live");
  progress.report(STATE);
  clock.ms = 50;
  progress.report({ ...STATE, images: 13_000 }); // too soon to see
  clock.ms = 150;
  progress.report({ ...STATE, images: 14_000 });
  progress.say("saved");
  progress.report({ ...STATE, images: 15_000 });
  progress.finish();
  progress.finish();
  assertEquals(texts, [
    "\r12.8/200.0 kimg  6%…\x1b[K",
    "\r14.0/200.0 kimg  7%…\x1b[K",
    "\r\x1b[Ksaved\n",
    "\r14.0/200.0 kimg  7%…\x1b[K",
    "\r15.0/200.0 kimg  7%…\x1b[K",
    "\n",
  ]);
});

Deno.test("progress: a log has a whole line now and then, and the last one", () => {
  const { progress, texts, clock } = open("lines");
  for (let i = 0; i <= 25; i++) {
    clock.ms = i * 1000;
    progress.report({ images: i * 500, total: 200_000 });
  }
  progress.say("saved");
  progress.finish();
  assertEquals(texts, [
    "0.0/200.0 kimg  0%\n",
    "5.0/200.0 kimg  2%  10s, 6m 30s left  500 img/s\n",
    "10.0/200.0 kimg  5%  20s, 6m 20s left  500 img/s\n",
    "saved\n",
    "12.5/200.0 kimg  6%  25s, 6m 15s left  500 img/s\n",
  ]);
});

Deno.test("progress: as JSON each report is an object on its own line", () => {
  const { progress, texts } = open("json");
  progress.report(STATE);
  progress.report({ ...STATE, note: 'a "quoted"\nnote' });
  progress.say("saved");
  progress.finish();
  assert(texts.every((text) => text.indexOf("\n") === text.length - 1));
  assertEquals(texts.map((text) => JSON.parse(text)), [
    STATE,
    { ...STATE, note: 'a "quoted"\nnote' },
    { say: "saved" },
  ]);
});

Deno.test("progress: a reader that is gone is told of once, and no more is written", () => {
  let told = 0, tries = 0;
  const write = () => {
    tries++;
    throw new Deno.errors.BrokenPipe("gone");
  };
  const progress = new Progress({ style: "json", write, onLost: () => told++ });
  for (let i = 0; i < 3; i++) progress.say("hello");
  assertEquals([told, tries], [1, 1]);
  assertThrows(() => new Progress({ style: "json", write }).say("hello"), Deno.errors.BrokenPipe);
});

Deno.test("progress: the last batch goes beyond the end, the line ends at 100%", () => {
  assertEquals(progressLine({ images: 1280, total: 1000 }), "1.00/1.00 kimg  100%");
  assertEquals(
    progressLine({ images: 1280, total: 1000, rate: 10 }),
    "1.00/1.00 kimg  100%  0s left  10.0 img/s",
  );
});

Deno.test("progress: 80 columns hold the phase of a growing run and its time left", () => {
  const phase = "stabilising 128 px";
  const line = progressLine({ ...STATE, phase, left: 5400, note: "a long warning" }, 80);
  assertEquals(
    line,
    "12.8/200.0 kimg  ░░░░░░░░ 6%  1h 30m left  stabilising 128 px  412 img/s  D rea…",
  );
});

Deno.test("progress: 60 columns hold a bar, the time so far and the time left", () => {
  const line = progressLine({ ...STATE, images: 128_000, elapsed: 3725 }, 60);
  assertEquals(line, "128.0/200.0 kimg  █████░░░ 64%  1h 02m, 2m 55s left  412 im…");
});

Deno.test("progress: the time left is asked for at the rate measured, which begins anew", () => {
  const { progress, texts, clock } = open("json"), total = 1000;
  const secondsLeft = (rate: number) => 7 * rate;
  const report = (ms: number, images: number) => {
    clock.ms = ms;
    progress.report({ images, total, secondsLeft });
  };
  report(0, 0);
  report(1000, 100);
  progress.restart();
  report(2000, 200);
  report(3000, 210);
  assertEquals(texts.map((text) => JSON.parse(text).left), [undefined, 700, undefined, 70]);
});

Deno.test("progress: what is said cannot command the terminal", () => {
  const { progress, texts } = open("lines");
  progress.say("Left out \x1b[2Ja\r\nb\u009b.png: broken \u202egnp");
  assertEquals(texts, ["Left out \\x1b[2Ja\\x0d\\x0ab\\x9b.png: broken \\u202egnp\n"]);
});

Deno.test("progress: a line is written over only on a terminal that has columns", () => {
  const stream = (terminal: boolean) => ({ isTerminal: () => terminal });
  const cases: [boolean, number, boolean][] = [[true, 80, true], [true, 0, false], [
    false,
    80,
    false,
  ]];
  for (const [terminal, columns, wide] of cases) {
    assertEquals(isWideTerminal(stream(terminal), () => columns), wide);
  }
});

Deno.test("progress: what is done before the first report stands on the live line until then", () => {
  const { progress, texts, clock } = open("live");
  progress.doing("Compiling 1 of 41 kernels");
  progress.doing("Compiling 2 of 41 kernels"); // too soon
  progress.say("said");
  clock.ms = 100;
  progress.doing("Compiling 3 of 41 kernels");
  progress.report({ images: 1000, total: 2000 });
  clock.ms = 200;
  progress.doing("Compiling 4 of 41 kernels"); // too late
  progress.finish();
  assertEquals(texts, [
    "\rCompiling 1 of 41 k…\x1b[K",
    "\r\x1b[Ksaid\n",
    "Compiling 1 of 41 k…",
    "\rCompiling 3 of 41 k…\x1b[K",
    "\r1.00/2.00 kimg  50%\x1b[K",
    "\n",
  ]);
});

Deno.test("progress: what is done leaves nothing on the live line of a run that ends before", () => {
  const { progress, texts } = open("live");
  progress.doing("Compiling");
  progress.finish();
  assertEquals(texts, ["\rCompiling\x1b[K", "\r\x1b[K"]);
});

for (const [style, expected] of [["lines", ["one\n", "three\n"]], ["json", []]] as const) {
  Deno.test(`progress: what is done, in ${style}`, () => {
    const { progress, texts, clock } = open(style);
    progress.doing("one");
    progress.doing("two");
    clock.ms = 10_000;
    progress.doing("three");
    assertEquals(texts, [...expected]);
  });
}
