import assert from "node:assert/strict";
import { test } from "node:test";
import { BadAddress, parseAddress } from "../src/address";

test("sockets and pipes are paths", () => {
  assert.deepEqual(parseAddress(" /run/user/1000/stepback/job.sock "), { kind: "socket", path: "/run/user/1000/stepback/job.sock" });
  assert.deepEqual(parseAddress("/tmp/a:80"), { kind: "socket", path: "/tmp/a:80" });
  assert.deepEqual(parseAddress("\\\\.\\pipe\\stepback"), { kind: "socket", path: "\\\\.\\pipe\\stepback" });
});

test("ports of this machine", () => {
  assert.deepEqual(parseAddress("127.0.0.1:4711"), { kind: "port", host: "127.0.0.1", port: 4711 });
  assert.deepEqual(parseAddress("localhost:1"), { kind: "port", host: "localhost", port: 1 });
  assert.deepEqual(parseAddress("[::1]:65535"), { kind: "port", host: "::1", port: 65535 });
  assert.deepEqual(parseAddress(":4711"), { kind: "port", host: "127.0.0.1", port: 4711 });
  assert.deepEqual(parseAddress("tcp://127.0.0.1:4711"), { kind: "port", host: "127.0.0.1", port: 4711 });
});

test("what is no address is refused with a hint", () => {
  for (const text of ["", "  ", "job", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "::1:80", "a/b:80", "http://127.0.0.1:80"]) {
    assert.throws(() => parseAddress(text), BadAddress, text);
  }
});

test("a port of another machine is refused, and the tunnel is named", () => {
  for (const text of ["10.0.0.7:4711", "build.example.org:4711", "0.0.0.0:4711", "127.0.0.1.example.org:4711", "[::]:4711"]) {
    assert.throws(() => parseAddress(text), /ssh -L 4711:127\.0\.0\.1:4711/, text);
  }
});
