// Bundles the extension and the script of its timeline view into dist/. With --minify for a release, with --watch while
// working on it.
import { copyFileSync, mkdirSync } from "node:fs";
import * as esbuild from "esbuild";

const minify = process.argv.includes("--minify");
const watch = process.argv.includes("--watch");

/** @type {import("esbuild").BuildOptions} */
const common = { bundle: true, minify, sourcemap: minify ? false : "linked", logLevel: "warning", legalComments: "inline" };

/** @type {import("esbuild").BuildOptions[]} */
const bundles = [
  {
    ...common,
    entryPoints: ["src/extension.ts"],
    outfile: "dist/extension.js",
    platform: "node",
    format: "cjs",
    target: "node20",
    // Given by the editor, never bundled.
    external: ["vscode"],
  },
  {
    ...common,
    entryPoints: ["src/webview/page.ts", "src/webview/page.css"],
    outdir: "dist/webview",
    platform: "browser",
    format: "iife",
    target: "chrome120",
  },
];

// The one package in the bundle wants its licence to travel with it.
mkdirSync("dist", { recursive: true });
copyFileSync("node_modules/yaml/LICENSE", "dist/yaml.LICENSE.txt");

if (watch) {
  for (const bundle of bundles) {
    await (await esbuild.context(bundle)).watch();
  }
} else {
  await Promise.all(bundles.map((bundle) => esbuild.build(bundle)));
}
