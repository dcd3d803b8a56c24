import assert from "node:assert/strict";
import { test } from "node:test";
import { BadFrame, Decoder, encode } from "../src/framing";

const messages = [{ seq: 1, type: "request", command: "initialize" }, { text: "größer ✓\r\n\r\nContent-Length: 3" }, {}, "x".repeat(100_000)];
const bytes = Buffer.concat(messages.map(encode));

test("messages come out as they went in, however they are cut", () => {
  for (const size of [1, 2, 7, 4096, bytes.length]) {
    const decoder = new Decoder();
    const out: unknown[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      out.push(...decoder.push(bytes.subarray(at, at + size)));
    }
    assert.deepEqual(out, messages, `in pieces of ${size}`);
  }
});

test("other headers and another case are taken", () => {
  const decoder = new Decoder();
  assert.deepEqual(decoder.push(Buffer.from("Content-Type: x; charset=utf-8\r\ncontent-length:2\r\n\r\n{}")), [{}]);
});

test("what is not the protocol is refused at once, without repeating it", () => {
  for (const text of ["HTTP/1.1 400 Bad Request\r\n\r\nhunter2", "Content-Length: -1\r\n\r\n", "Content-Length: x\r\n\r\n", "Content-Length: 99999999999\r\n\r\n", "Content-Length: 9\r\n\r\n{hunter2}", "x".repeat(9000)]) {
    assert.throws(
      () => new Decoder().push(Buffer.from(text)),
      (error) => error instanceof BadFrame && !error.message.includes("hunter2"),
      text.slice(0, 40),
    );
  }
});

test("a long message in small pieces is not copied over and over", () => {
  const long = encode("y".repeat(8_000_000));
  const decoder = new Decoder();
  const began = performance.now();
  let count = 0;
  for (let at = 0; at < long.length; at += 4096) {
    count += decoder.push(long.subarray(at, at + 4096)).length;
  }
  assert.equal(count, 1);
  assert.ok(performance.now() - began < 2000);
});
