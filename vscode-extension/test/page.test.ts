import assert from "node:assert/strict";
import { test } from "node:test";
import { leadsTo } from "../src/timeline/keys";
import { readFromPage } from "../src/timeline/messages";
import { pageOf } from "../src/timeline/page";

test("the page runs its own script alone, and loads nothing from anywhere else", () => {
  const page = pageOf({ script: "vscode-resource:/page.js", style: "vscode-resource:/page.css", source: "vscode-resource:", nonce: "abc123" });
  assert.match(page, /content="default-src 'none'; style-src vscode-resource:; script-src 'nonce-abc123'"/);
  assert.deepEqual(page.match(/<script[^>]*>/g), ['<script nonce="abc123" src="vscode-resource:/page.js">']);
  assert.doesNotMatch(page, /https?:|unsafe|\sstyle=|\son\w+=/);
});

test("arrow keys", () => {
  const spots = [
    { id: 0, branch: 1, x: 10, y: 20 },
    { id: 1, branch: 1, x: 30, y: 20 },
    { id: 2, branch: 1, x: 60, y: 20 },
    { id: 3, branch: 2, x: 30, y: 60 },
    { id: 4, branch: 2, x: 90, y: 60 },
  ];
  const from = (id: number, ...keys: string[]) => keys.map((key) => leadsTo(spots, id, key));
  assert.deepEqual(from(1, "ArrowLeft", "ArrowRight", "Home", "End"), [0, 2, 0, 2]);
  assert.deepEqual(from(2, "ArrowRight", "ArrowUp", "ArrowDown", "x"), [undefined, undefined, 3, undefined]);
  assert.deepEqual(from(4, "ArrowUp", "ArrowDown", "ArrowLeft", "Home"), [2, undefined, 3, 3]);
  assert.deepEqual(from(3, "ArrowLeft"), [0]);
  assert.equal(leadsTo(spots, 99, "ArrowLeft"), 0);
  assert.equal(leadsTo([], 99, "ArrowLeft"), undefined);
});

test("what the page says is read, and all else is passed over", () => {
  assert.deepEqual(readFromPage({ type: "view", moment: null, more: 1 }), { type: "view", moment: null });
  assert.deepEqual(readFromPage({ type: "rewind", moment: 3 }), { type: "rewind", moment: 3 });
  assert.deepEqual(readFromPage({ type: "reveal", run: 0 }), { type: "reveal", run: 0 });
  assert.deepEqual(readFromPage({ type: "ready" }), { type: "ready" });
  for (const odd of [undefined, null, 3, "ready", {}, { type: "eval" }, { type: "view" }, { type: "rewind", moment: null }, { type: "rewind", moment: 1.5 }, { type: "reveal", run: "0" }]) {
    assert.equal(readFromPage(odd), undefined);
  }
});
