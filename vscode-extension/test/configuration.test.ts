import assert from "node:assert/strict";
import { test } from "node:test";
import { findMistake, refuseSecrets } from "../src/configuration";

const launch = { type: "stepback", request: "launch", name: "x" };
const attach = { type: "stepback", request: "attach", name: "x" };

test("secrets in a configuration are refused, and the secret file is named", () => {
  for (const name of ["secrets", "secret", "secretValues"]) {
    const text = refuseSecrets({ ...launch, [name]: { TOKEN: "hunter2" } });
    assert.match(text ?? "", /secretFile/);
    assert.doesNotMatch(text ?? "", /hunter2/);
  }
  assert.equal(refuseSecrets({ ...launch, secretFile: "/home/me/.secrets" }), undefined);
});

test("a token that is written down is refused, one that is asked for is not", () => {
  for (const token of ["0123456789abcdef", "", "${env:TOKEN}", "${config:token}", "x${input:token}", 7]) {
    const text = refuseSecrets({ ...attach, address: ":4711", token });
    assert.match(text ?? "", /AskToken/);
    assert.doesNotMatch(text ?? "", /0123456789abcdef/);
  }
  for (const token of [undefined, "${input:token}", "${command:AskToken}"]) {
    assert.equal(refuseSecrets({ ...attach, address: ":4711", token }), undefined);
  }
});

test("a launch may be empty, or have everything", () => {
  assert.equal(findMistake(launch), undefined);
  const all = {
    workflow: "/r/.github/workflows/ci.yml",
    job: "test",
    cwd: "/r",
    event: "push",
    eventPath: "/e.json",
    inputs: { level: "high" },
    vars: {},
    env: { A: 1 },
    secretFile: "/s",
    matrix: { os: "ubuntu-latest" },
    workspace: "in-place",
    record: false,
    stopOnEntry: true,
    backgroundSlots: 2,
  };
  assert.equal(findMistake({ ...launch, ...all }), undefined);
});

test("members of the wrong kind are named", () => {
  const wrong: Record<string, unknown> = {
    workflow: "",
    job: 3,
    secretFile: ["x"],
    inputs: "a=b",
    vars: null,
    env: ["A=1"],
    matrix: [],
    record: "yes",
    stopOnEntry: 1,
    workspace: "mine",
    backgroundSlots: 0,
  };
  for (const [name, value] of Object.entries(wrong)) {
    assert.match(findMistake({ ...launch, [name]: value }) ?? "", new RegExp(`"${name}"`));
  }
});

test("an attach needs an address or a recording, and not both", () => {
  assert.match(findMistake(attach) ?? "", /stepback debug --listen/);
  assert.match(findMistake({ ...attach, address: "/a.sock", recording: "r" }) ?? "", /not both/);
  assert.match(findMistake({ ...attach, address: "nowhere" }) ?? "", /is no address/);
  assert.match(findMistake({ ...attach, recording: "" }) ?? "", /its folder, or "last"/);
  assert.match(findMistake({ ...attach, recording: "last", secretFile: 7 }) ?? "", /"secretFile"/);
  assert.equal(findMistake({ ...attach, address: "/a.sock" }), undefined);
  assert.equal(findMistake({ ...attach, recording: "last" }), undefined);
  assert.equal(findMistake({ ...attach, recording: "20260131-142507-0c1f.0000", secretFile: "/s" }), undefined);
});
