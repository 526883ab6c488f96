import { assertEquals } from "@std/assert";
import { newOptions } from "./run_options.ts";
import type { Values } from "./options.ts";

Deno.test("a small run of the built-in images takes the faces, unless other images are asked for", () => {
  const classesOf = (values: Values, software: boolean) =>
    newOptions("dcgan", values, software).options.classes;
  assertEquals(classesOf({}, true), "faces");
  assertEquals(classesOf({ preset: "small" }, false), "faces");
  assertEquals(classesOf({}, false), "");
  assertEquals(classesOf({ preset: "default" }, true), "");
  assertEquals(classesOf({ data: "images.zip" }, true), "");
  assertEquals(classesOf({ classes: "flags,food" }, true), "flags,food");
  assertEquals(classesOf({ conditional: true }, true), "");
});

Deno.test("with so few images DCGAN's D learns more slowly, unless rates are given", () => {
  const ratesOf = (name: string, values: Values) => {
    const { lrG, lrD } = newOptions(name, values, true).options;
    return [lrG, lrD];
  };
  assertEquals(ratesOf("dcgan", {}), [4e-4, 1e-4]);
  assertEquals(ratesOf("dcgan", { lrD: 3e-4 }), [4e-4, 3e-4]);
  assertEquals(ratesOf("dcgan", { data: "images.zip" }), [2e-4, 2e-4]);
  assertEquals(ratesOf("sagan", {}), ratesOf("sagan", { data: "images.zip" }));
});
