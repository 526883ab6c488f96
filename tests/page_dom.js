// What export/page/view.ts needs of a browser beside WebGPU: a document that prints the images that are drawn.
const { Deno: host } = globalThis, html = host.readTextFileSync(host.args[0]);
const inside = (id) => html.split(`id="${id}">`)[1].split("</script>")[0];
const made = new Map();
const element = (id) => {
  if (!made.has(id)) {
    const listeners = [];
    made.set(id, {
      textContent: ["data", "weights"].includes(id) ? inside(id) : "",
      value: { seed: "5", spread: "1", count: "4", class: "-1" }[id] ?? "",
      checked: false,
      parentElement: {},
      append() {},
      addEventListener: (_, listener) => listeners.push(listener),
      getContext: () => ({
        putImageData: ({ width, height, data }) =>
          console.log(JSON.stringify({ width, height, data: Array.from(data) })),
      }),
    });
  }
  return made.get(id);
};
globalThis.document = { getElementById: element };
globalThis.Option = class {};
globalThis.requestAnimationFrame = (done) => setTimeout(done);
globalThis.ImageData ??= class {
  constructor(width, height) {
    Object.assign(this, { width, height, data: new Uint8ClampedArray(4 * width * height) });
  }
};
delete globalThis.Deno;
delete globalThis.process;
await import(`data:text/javascript,${encodeURIComponent(inside("script"))}`);
const { textContent } = element("status");
console.log(JSON.stringify({ status: textContent }));
host.exit();
