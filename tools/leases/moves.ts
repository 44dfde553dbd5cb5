/**
 * The ways in which a program moves a buffer away: its new owner then reaches the memory without any limit.
 *
 * @module
 */

/** Moves the buffer of a view. @returns where it is now, at once or when it has arrived */
type Move = (view: Uint8Array) => ArrayBuffer | Promise<ArrayBuffer>;

const bufferOf = (view: Uint8Array): ArrayBuffer => view.buffer as ArrayBuffer;

async function throughChannel(view: Uint8Array): Promise<ArrayBuffer> {
  const { port1, port2 } = new MessageChannel();
  const arrived = new Promise<ArrayBuffer>((resolve) => {
    port2.onmessage = ({ data }) => resolve(data.buffer);
  });
  port1.postMessage(view, [bufferOf(view)]);
  try {
    return await arrived;
  } finally {
    port1.close();
    port2.close();
  }
}

async function throughByteStream(view: Uint8Array): Promise<ArrayBuffer> {
  const stream = new ReadableStream({
    type: "bytes",
    start(controller) {
      controller.enqueue(view);
      controller.close();
    },
  });
  const { value } = await stream.getReader().read();
  return value!.buffer as ArrayBuffer;
}

/** As a reader's own buffer: the stream ends without having filled it. */
async function throughByobRead(view: Uint8Array): Promise<ArrayBuffer> {
  const stream = new ReadableStream({
    type: "bytes",
    pull(controller) {
      controller.close();
      controller.byobRequest!.respond(0);
    },
  });
  const { value } = await stream.getReader({ mode: "byob" }).read(view as Uint8Array<ArrayBuffer>);
  return value!.buffer as ArrayBuffer;
}

/** By name, for the trail. */
export const MOVES: Record<string, Move> = {
  "buffer.transfer()": (view) => bufferOf(view).transfer(),
  "buffer.transferToFixedLength()": (view) => bufferOf(view).transferToFixedLength(),
  "buffer.transfer(less)": (view) => bufferOf(view).transfer(bufferOf(view).byteLength >> 1),
  "structuredClone": (view) => structuredClone(bufferOf(view), { transfer: [bufferOf(view)] }),
  "a message channel": throughChannel,
  "a byte stream": throughByteStream,
  "a BYOB read": throughByobRead,
};
