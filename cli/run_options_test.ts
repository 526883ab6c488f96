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
Compiling 1 of 69 kernels
-hooks: line 24: enable: cannot open shared object /root/.pyenv/libexec/pyenv-realpath.dylib: /root/.pyenv/libexec/pyenv-realpath.dylib: cannot open shared object file: No such file or directory
