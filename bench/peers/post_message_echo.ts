/**
 * The other side of post_message_handoff.ts: sends every buffer back.
 *
 * @module
 */
type Frame = Uint8Array<ArrayBuffer>;
const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<Frame>) => void;
  postMessage(message: Frame, transfer: Transferable[]): void;
};

scope.onmessage = ({ data }) => scope.postMessage(data, [data.buffer]);
