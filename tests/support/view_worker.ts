/**
 * A worker that gets a view, and says what it shows whenever it is asked: its bytes, if they are all the same.
 *
 * @module
 */

let view: Uint8Array | undefined;
const scope = globalThis as unknown as {
  onmessage: (event: { data: Uint8Array | "look" }) => void;
  postMessage(answer: number | "torn" | undefined): void;
};

scope.onmessage = ({ data }) => {
  if (data !== "look") view = data;
  const first = view?.[0];
  scope.postMessage(view?.every((byte) => byte === first) ? first : "torn");
};
