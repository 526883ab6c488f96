#!/usr/bin/env bash
# Deno: a module that imports a .wasm of an npm package runs, but not when it is imported dynamically.
#
# `import * as codec from "npm:PACKAGE/x.wasm"` works in the module that is run and in what that imports
# statically. Once any importer is reached by `await import(...)`, be its path a literal or not, evaluation
# fails with "Module source can not be imported for ...". The same file beside the program works both ways,
# so it is neither the WebAssembly nor dynamic import alone. What loads parts of a program on demand (a
# command line with one module a command) has to import the bytes, `with { type: "bytes" }`, instead.
#
# Seen with Deno 2.9.6 and imagescript 1.3.1, whose wasm/any/jpeg.wasm has no imports, November 2026.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix "$dir" deno@2.9.6 imagescript@1.3.1
chmod +x node_modules/@deno/*/deno 2>/dev/null || true
deno=$(ls "$dir"/node_modules/@deno/*/deno | head -n 1)
mkdir program
cd program
cp ../node_modules/imagescript/wasm/any/jpeg.wasm beside.wasm
echo '{}' >deno.json
cat >package.ts <<'TS'
import * as codec from "npm:imagescript@1.3.1/wasm/any/jpeg.wasm";
console.log(typeof codec.decode);
TS
sed 's#npm:imagescript@1.3.1/wasm/any/jpeg.wasm#./beside.wasm#' package.ts >beside.ts
for name in package beside; do
  echo "import './$name.ts';" >"$name-static.ts"
  echo "await import('./$name.ts');" >"$name-dynamic.ts"
done
"$deno" --version | head -n 1
found=
for file in package.ts package-static.ts package-dynamic.ts beside.ts beside-static.ts beside-dynamic.ts; do
  out=$(NO_COLOR=1 "$deno" run --no-check --allow-read "$file" 2>&1) && rc=0 || rc=$?
  last=$(printf '%s\n' "$out" | grep -o 'function$\|Module source can not be imported' | tail -n 1)
  echo "$file: exit $rc, $last"
  found="$found$rc"
done
[ "$found" = 001000 ] || {
  echo "it does not behave as described" >&2
  exit 1
}
