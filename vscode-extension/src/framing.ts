/**
 * The frames of the Debug Adapter Protocol: a header with the length, an empty line, JSON. This file knows no socket.
 */

/** A header longer than this is none of the protocol's. Bytes. */
const LONGEST_HEADER = 8 * 1024;

/** A message longer than this is refused, since it would be held in memory as a whole. Bytes. */
const LONGEST_MESSAGE = 10 * 1024 * 1024;

const HEADER_END = "\r\n\r\n";

/** What arrives is not the protocol; the connection is of no more use. */
export class BadFrame extends Error {}

/** One message as it is sent. */
export function encode(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message), "utf8");
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}${HEADER_END}`, "ascii"), body]);
}

/** Makes messages of bytes that arrive in pieces of any size. */
export class Decoder {
  private pieces: Buffer[] = [];
  private length = 0;
  /** The length of the body that is awaited; undefined while its header is. */
  private body: number | undefined;

  /**
   * Takes bytes, and gives the messages that are complete by them.
   *
   * @throws BadFrame
   */
  push(bytes: Buffer): unknown[] {
    this.pieces.push(bytes);
    this.length += bytes.length;
    const messages: unknown[] = [];
    for (let message = this.next(); message !== undefined; message = this.next()) {
      messages.push(message.value);
    }
    return messages;
  }

  private next(): { value: unknown } | undefined {
    this.body ??= this.header();
    if (this.body === undefined || this.length < this.body) {
      return undefined;
    }
    const text = this.take(this.body).toString("utf8");
    this.body = undefined;
    try {
      return { value: JSON.parse(text) as unknown };
    } catch {
      // Not the text itself, which may hold what the job printed.
      throw new BadFrame("The debugger sent a message that is no JSON.");
    }
  }

  private header(): number | undefined {
    const all = this.whole();
    const end = all.indexOf(HEADER_END);
    if (end < 0) {
      if (all.length > LONGEST_HEADER) {
        throw new BadFrame("What answers there does not speak the Debug Adapter Protocol. Is the port right?");
      }
      return undefined;
    }
    const header = this.take(end + HEADER_END.length).toString("ascii");
    const match = /^content-length:[ \t]*(\d+)[ \t]*$/im.exec(header.replaceAll("\r", ""));
    if (match === null) {
      throw new BadFrame("What answers there does not speak the Debug Adapter Protocol. Is the port right?");
    }
    const length = Number(match[1]);
    if (length > LONGEST_MESSAGE) {
      throw new BadFrame(`The debugger announced a message of ${match[1]} bytes; ${LONGEST_MESSAGE} is the limit.`);
    }
    return length;
  }

  private take(count: number): Buffer {
    const all = this.whole();
    const rest = all.subarray(count);
    this.pieces = rest.length === 0 ? [] : [rest];
    this.length = rest.length;
    return all.subarray(0, count);
  }

  /** What has arrived as one buffer: joined only when it is looked into, so that a long message is not copied per piece. */
  private whole(): Buffer {
    const all = this.pieces.length === 1 && this.pieces[0] !== undefined ? this.pieces[0] : Buffer.concat(this.pieces);
    this.pieces = all.length === 0 ? [] : [all];
    return all;
  }
}
