/**
 * Where a debugger listens: a UNIX socket (or a Windows pipe), or a port of this machine. This file knows no editor.
 */

/** An address that can be attached to. */
export type Address = { kind: "socket"; path: string } | { kind: "port"; host: string; port: number };

/** A text that is no address, with a hint. */
export class BadAddress extends Error {}

const HINT = 'An address is the path of a socket, as in "/run/user/1000/stepback/job.sock", or a port, as in "127.0.0.1:4711".';
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/i;

/**
 * Reads an address.
 *
 * A port of another machine is refused: the token and everything the job prints would travel in the clear, and the
 * debugger listens on loopback alone. A tunnel brings it here.
 *
 * @throws BadAddress
 */
export function parseAddress(text: string): Address {
  const address = text.trim();
  if (address === "") {
    throw new BadAddress(`There is no address. ${HINT}`);
  }
  if (address.startsWith("/") || address.startsWith("\\\\.\\pipe\\") || address.startsWith("./")) {
    return { kind: "socket", path: address };
  }
  const match = /^(?:tcp:\/\/)?(?:\[([0-9a-f:.]+)\]|([^:/\\[\]]*)):(\d{1,5})$/i.exec(address);
  if (match === null) {
    throw new BadAddress(`"${address}" is no address. ${HINT}`);
  }
  const host = match[1] ?? (match[2] === "" || match[2] === undefined ? "127.0.0.1" : match[2]);
  const port = Number(match[3]);
  if (port < 1 || port > 65535) {
    throw new BadAddress(`${port} is no port: they go from 1 to 65535.`);
  }
  if (!LOOPBACK.test(host)) {
    throw new BadAddress(
      `${host} is another machine, and nothing would protect what is said to it. Bring its port here, as with ` +
        `"ssh -L ${port}:127.0.0.1:${port} ${host}", and attach to 127.0.0.1:${port}.`,
    );
  }
  return { kind: "port", host, port };
}
