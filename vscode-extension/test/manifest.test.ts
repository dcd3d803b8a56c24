/** Whether the manifest and the sources tell the same. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const { contributes } = manifest;
const sources = readdirSync("src").filter((name) => name.endsWith(".ts")).map((name) => readFileSync(`src/${name}`, "utf8")).join("\n");

test("every contributed command is registered, and every command in a menu is contributed", () => {
  const block = /const all: .*? = \{(\n.*?)\n {2}\};/s.exec(readFileSync("src/commands.ts", "utf8"))?.[1] ?? "";
  const registered = [...block.matchAll(/^ {4}(\w+): \(/gm)].map((match) => `stepback.${match[1]}`);
  const contributed: string[] = contributes.commands.map((each: { command: string }) => each.command);
  // These two are called with arguments, by a lens and by a configuration, and not by people.
  assert.deepEqual([...contributed, "stepback.askToken", "stepback.runToStep"].sort(), registered.sort());
  const menus = Object.values(contributes.menus as Record<string, { command: string }[]>).flat();
  for (const { command } of menus) {
    assert.ok(contributed.includes(command), command);
  }
});

test("every key that a clause asks for is set", () => {
  const clauses = JSON.stringify(contributes).matchAll(/"(?:when|enablement)":"([^"]*)"/g);
  const keys = new Set([...clauses].flatMap(([, clause]) => [...(clause ?? "").matchAll(/stepback\.(?!timeline)\w+/g)].map(([key]) => key)));
  assert.ok(keys.size > 3);
  for (const key of keys) {
    assert.ok(sources.includes(`"${key}":`), key);
  }
});

test("the attributes of launch and attach are those of the protocol, and no place for a secret", () => {
  const { launch, attach } = contributes.debuggers[0].configurationAttributes;
  assert.deepEqual(Object.keys(launch.properties), [
    "workflow", "job", "cwd", "event", "eventPath", "inputs", "vars", "env", "secretFile", "secrets", "matrix", "workspace", "record", "offline", "githubApiUrl", "backgroundSlots", "stopOnEntry",
  ]);
  assert.deepEqual(launch.properties.secrets.not, {});
  assert.deepEqual(Object.keys(attach.properties), ["address", "token", "recording", "secretFile"]);
  for (const name of Object.keys(contributes.configuration.properties)) {
    assert.doesNotMatch(name, /token|secret|password/i);
  }
  for (const { body } of contributes.debuggers[0].configurationSnippets) {
    assert.equal(body.token ?? '^"\\${command:AskToken}"', '^"\\${command:AskToken}"');
  }
});

test("a recording is a name, a folder or the last one: there is no file to choose", () => {
  assert.doesNotMatch(JSON.stringify(contributes) + sources, /\.stepback\b(?! *=)/);
  const { recording } = contributes.debuggers[0].configurationAttributes.attach.properties;
  assert.match(recording.markdownDescription, /`last`/);
});

test("the lock file names no registry", () => {
  const lock = readFileSync("package-lock.json", "utf8");
  assert.doesNotMatch(lock, /"resolved"/);
  // What is left are addresses where one may give money.
  const lines = lock.split("\n").filter((line) => /https?:/.test(line) && !/^\s*"(url|funding)": /.test(line));
  assert.deepEqual(lines.filter((line) => !/^\s*"https:\/\/github\.com\/[^"]*sponsor/.test(line)), []);
});

test("versions agree with the change log", () => {
  assert.match(readFileSync("CHANGELOG.md", "utf8"), new RegExp(`^## \\[?${manifest.version}`, "m"));
});

test("the readme shows only pictures that exist", () => {
  for (const [, file] of readFileSync("README.md", "utf8").matchAll(/!\[[^\]]*\]\(([^)]+)\)/g)) {
    readFileSync(file ?? "");
  }
});
