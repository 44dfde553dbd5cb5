// @ts-check
/**
 * The WebSocket to the server, made again and again after it has broken.
 *
 * @module
 */

const [FIRST_WAIT_MS, LONGEST_WAIT_MS] = [500, 8000];
/** The server speaks each second. A connection without a word for this long is dead, whatever the system says. */
const SILENCE_MS = 6000;

/**
 * What is told of the connection.
 *
 * @typedef {object} Listener
 * @property {() => void} opened
 * @property {(message: any) => void} told a JSON message
 * @property {(message: ArrayBuffer) => void} sent a binary message
 * @property {(wasOpen: boolean, waitMs: number) => void} broken and when the next one is tried
 */

export class Socket {
  #url;
  #listener;
  /** @type {WebSocket | undefined} */
  #socket;
  #waitMs = FIRST_WAIT_MS;
  #heardMs = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #isClosed = false;

  /** @param {string} path @param {Listener} listener */
  constructor(path, listener) {
    const url = new URL(path, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    url.hash = "";
    this.#url = url.href;
    this.#listener = listener;
    addEventListener("online", () => this.#tryNow());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#tryNow());
    setInterval(() => this.#listen(), SILENCE_MS / 3);
    this.#connect();
  }

  /**
   * Tells the server something. Where there is no connection it is lost: the next one begins anew.
   *
   * @param {object} message
   */
  send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify(message));
    }
  }

  /** Ends it, until `open`. */
  close() {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  /** Connects, after `close`. */
  open() {
    this.#isClosed = false;
    this.#tryNow();
  }

  #connect() {
    const socket = this.#socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    this.#heardMs = performance.now();
    let wasOpen = false;
    socket.onopen = () => {
      wasOpen = true;
      this.#waitMs = FIRST_WAIT_MS;
      this.#listener.opened();
    };
    socket.onmessage = ({ data }) => {
      this.#heardMs = performance.now();
      if (typeof data === "string") this.#listener.told(JSON.parse(data));
      else this.#listener.sent(data);
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#tryLater(wasOpen);
    };
  }

  /** @param {boolean} wasOpen */
  #tryLater(wasOpen) {
    if (this.#isClosed) return;
    const waitMs = this.#waitMs * (0.75 + Math.random() / 2); // so that many pages do not come at once
    this.#waitMs = Math.min(LONGEST_WAIT_MS, this.#waitMs * 2);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), waitMs);
    this.#listener.broken(wasOpen, waitMs);
  }

  #tryNow() {
    if (this.#isClosed || this.#socket !== undefined) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  /** Gives up a connection that is silent. */
  #listen() {
    const socket = this.#socket;
    if (socket === undefined || performance.now() - this.#heardMs < SILENCE_MS) return;
    this.#socket = undefined;
    const wasOpen = socket.readyState === WebSocket.OPEN;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.#tryLater(wasOpen);
  }
}
