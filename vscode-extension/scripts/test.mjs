// Bundles test/*.test.ts into dist/test/ and runs them by node's own test runner. No editor is needed: what is tested
// here does not import `vscode`, and a test that did would fail to build.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import * as esbuild from "esbuild";

const tests = readdirSync("test").filter((name) => name.endsWith(".test.ts"));
rmSync("dist/test", { recursive: true, force: true });
await esbuild.build({
  entryPoints: tests.map((name) => `test/${name}`),
  outdir: "dist/test",
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  sourcemap: "inline",
  logLevel: "warning",
});
const files = tests.map((name) => `dist/test/${name.replace(/\.ts$/, ".js")}`);
const run = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files], { stdio: "inherit" });
process.exit(run.status ?? 1);
