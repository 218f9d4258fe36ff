// Makes dist/ from src/. The first line of app.js tells the checksum of everything that it was made
// from; a test of the crate compares it with the files.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { build } from "esbuild";

const sources = [...readdirSync("src").map((name) => `src/${name}`), "build.mjs", "package-lock.json"];
let checksum = 0;
for (const name of sources.sort()) {
  checksum = crc32(readFileSync(name), crc32(name, checksum));
}
mkdirSync("dist", { recursive: true });
await build({
  entryPoints: ["src/main.tsx"],
  outfile: "dist/app.js",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2023",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "inline",
  banner: { js: `/* sources ${checksum.toString(16).padStart(8, "0")} */` },
});
await build({ entryPoints: ["src/app.css"], outfile: "dist/app.css", minify: true });
for (const name of ["index.html", "icon.svg"]) {
  copyFileSync(`src/${name}`, `dist/${name}`);
}
