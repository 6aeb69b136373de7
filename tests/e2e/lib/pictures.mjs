// Small pictures, made from their formats' parts.

import { crc32, deflateSync } from "node:zlib";

/** A chunk of a PNG (PNG specification, 5.3). */
export function pngChunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** A PNG of one grey pixel, with further chunks before its data. */
export function png(...chunks) {
  const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    pngChunk("IHDR", header),
    ...chunks,
    pngChunk("IDAT", deflateSync(Buffer.from([0, 128]))),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}

/** What every reader takes for a JPEG of one pixel, with a comment. */
export function jpeg(comment) {
  const segment = (marker, data) => {
    const framed = Buffer.alloc(data.length + 4);
    framed.writeUInt16BE(0xff00 + marker, 0);
    framed.writeUInt16BE(data.length + 2, 2);
    data.copy(framed, 4);
    return framed;
  };
  const frame = Buffer.from([8, 0, 1, 0, 1, 1, 1, 0x11, 0]);
  return Buffer.concat([Buffer.from([0xff, 0xd8]), segment(0xfe, comment), segment(0xc0, frame), Buffer.from([0xff, 0xd9])]);
}
