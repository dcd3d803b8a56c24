import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findBinary, isExecutable } from "../src/binary";

const linux = { configured: "", path: "/usr/bin:/opt/bin", home: "/home/me", folder: "/repo", platform: "linux" as const };

/** A file system in which these files can be executed. */
const having = (...files: string[]) => (file: string) => Promise.resolve(files.includes(file));

test("the setting wins over PATH", async () => {
  const files = having("/usr/bin/stepback", "/opt/own/stepback", "/home/me/bin/stepback", "/repo/target/release/stepback", "/opt/bin/stepback-dev");
  const find = async (configured: string) => findBinary({ ...linux, configured }, files);
  assert.deepEqual(await find(" /opt/own/stepback "), { binary: "/opt/own/stepback" });
  assert.deepEqual(await find("~/bin/stepback"), { binary: "/home/me/bin/stepback" });
  assert.deepEqual(await find("target/release/stepback"), { binary: "/repo/target/release/stepback" });
  assert.deepEqual(await find("stepback-dev"), { binary: "/opt/bin/stepback-dev" });
});

test("a setting that leads nowhere is not passed over in silence", async () => {
  const found = await findBinary({ ...linux, configured: "/gone/stepback" }, having("/usr/bin/stepback"));
  assert.match("missing" in found ? found.missing : "", /\/gone\/stepback.*stepback\.path/);
});

test("PATH in its order, then where cargo installs", async () => {
  assert.deepEqual(await findBinary(linux, having("/opt/bin/stepback", "/usr/bin/stepback")), { binary: "/usr/bin/stepback" });
  assert.deepEqual(await findBinary(linux, having("/home/me/.cargo/bin/stepback")), { binary: "/home/me/.cargo/bin/stepback" });
});

test("a relative folder on PATH is passed over: it would run what lies in the repository", async () => {
  const found = await findBinary({ ...linux, path: ".::bin" }, having("stepback", "bin/stepback", "./stepback"));
  assert.ok("missing" in found);
});

test("where it is nowhere, the person is told how to get it", async () => {
  const found = await findBinary(linux, having());
  assert.match("missing" in found ? found.missing : "", /cargo install.*stepback\.path/);
});

test("only files that may be executed count", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stepback-"));
  try {
    writeFileSync(join(folder, "stepback"), "");
    assert.equal(await isExecutable(join(folder, "stepback")), false);
    chmodSync(join(folder, "stepback"), 0o755);
    assert.equal(await isExecutable(join(folder, "stepback")), true);
    mkdirSync(join(folder, "sub"));
    assert.equal(await isExecutable(join(folder, "sub")), false);
    assert.equal(await isExecutable(join(folder, "none")), false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
