// @ts-check
/**
 * The newest frame of a depot on a canvas. It asks for no more pixels than it shows, and gives the credit of a picture
 * back once that is drawn: so nothing queues, and what is out of sight costs nothing.
 *
 * @module
 */
/** @import { Channels, Receiver } from "./channels.js" */
/** @import { Depot, Header, Picture as Sent } from "./messages.js" */
/** @import { Image } from "./decoders.js" */
import { decodeJpeg, H264Decoder, hasVideoDecoder } from "./decoders.js";
import { make, setNote } from "./dom.js";
import { Meter } from "./meter.js";
import { Sight } from "./sight.js";

/** Widths are asked for in steps, so that a window that changes a little needs no other pictures. */
const WIDTH_STEP = 80;
/** What is out of sight for longer gives its channel back: a server has not many. */
const REST_MS = 10_000;

/**
 * What is told of what is drawn.
 *
 * @typedef {object} Listener
 * @property {(picture: Sent) => void} [drawn]
 * @property {(number: number, range: readonly [number, number] | undefined) => void} [missing]
 */

export class Picture {
  element = make("div", { class: "picture" });
  canvas = make("canvas", { role: "img" });
  meter = new Meter();
  /** Of the picture that is drawn. @type {Header | undefined} */
  header;
  #note = make("p", { class: "picture-note", hidden: "" });
  #channels;
  #listener;
  #context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d", {
    alpha: false,
  }));
  #h264 = new H264Decoder();
  /** @type {import("./channels.js").Channel | undefined} */
  #channel;
  /** What is asked for: a depot, and a width. @type {{ depot: Depot, width: number } | undefined} */
  #asked;
  /** @type {Depot | undefined} */
  #depot;
  #isPaused = false;
  /** Credits that are kept while it is out of sight. */
  #kept = 0;
  #drawnCount = 0;
  /** The pictures before the next one have been drawn. @type {Promise<void>} */
  #before = Promise.resolve();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #resting;
  #sight = new Sight(this.element, () => this.#look());

  /** @param {Channels} channels @param {Listener} [listener] */
  constructor(channels, listener = {}) {
    this.#channels = channels;
    this.#listener = listener;
    this.element.append(this.canvas, this.#note);
    this.canvas.width = this.canvas.height = 1;
  }

  /** Shows a depot, as it is now. @param {Depot} depot */
  follow(depot) {
    this.#depot = depot;
    this.canvas.setAttribute("aria-label", `Newest frame of ${depot.name}`);
    if (depot.picture !== undefined) this.say(depot.picture);
    else if (depot.stored === 0) this.say("no frame yet");
    this.#look();
  }

  /** Says something over the picture, or nothing any more. @param {string | undefined} text */
  say(text) {
    setNote(this.#note, text);
  }

  get isPaused() {
    return this.#isPaused;
  }

  /** Stays at a frame. @param {number} number */
  pauseAt(number) {
    this.#isPaused = true;
    this.#channel?.at(number);
  }

  /** Asks for the stored frame beside another. @param {number} number @param {-1 | 1} by */
  step(number, by) {
    this.#isPaused = true;
    this.#channel?.step(number, by);
  }

  /** Goes on with the newest frames. */
  live() {
    this.#isPaused = false;
    this.#channel?.live();
  }

  /** Draws a picture that came earlier. @param {Sent} picture */
  redraw(picture) {
    this.#inOrder(picture, true, decodeJpeg(picture));
  }

  close() {
    clearTimeout(this.#resting);
    this.#rest();
    this.#sight.close();
  }

  /** Gives the channel back, until it is seen again. */
  #rest() {
    this.#channel?.hide();
    this.#channel = undefined;
    this.#asked = undefined;
    this.#kept = 0;
    this.#h264.close();
  }

  /** Asks for what it needs now, and gives back the credits it has kept when it is in sight again. */
  #look() {
    const depot = this.#depot;
    if (!this.#sight.isSeen) {
      this.#resting ??= setTimeout(() => this.#rest(), REST_MS);
      return;
    }
    clearTimeout(this.#resting);
    this.#resting = undefined;
    if (depot === undefined) return;
    for (; this.#kept > 0; this.#kept--) this.#channel?.shown();
    const width = this.#neededWidth(depot);
    const { name, id, state } = depot;
    const before = this.#asked;
    const isAsked = before?.width === width && before.depot.name === name && before.depot.id === id;
    if (isAsked || width === 0 || state !== "live" && state !== "ended") return;
    this.#asked = { depot, width };
    this.#channel ??= this.#channels.open(this.#receiver());
    const codec = this.#channels.codec === "h264" && hasVideoDecoder ? "h264" : "jpeg";
    this.#channel.show({ name: depot.name, width, codec });
    if (this.#isPaused && this.header !== undefined) {
      this.#channel.at(this.header.number);
    }
  }

  /** The width that the frame has on the screen, in its pixels, and a bit more. @param {Depot} depot */
  #neededWidth({ frameSize: [width = 0, height = 0] = [] }) {
    const { clientWidth, clientHeight } = this.element;
    const isKnown = width > 0 && height > 0;
    const shown = isKnown ? Math.min(clientWidth, clientHeight * width / height) : clientWidth;
    return Math.ceil(shown * devicePixelRatio / WIDTH_STEP) * WIDTH_STEP;
  }

  /** @returns {Receiver} */
  #receiver() {
    return {
      take: (picture) => this.#take(picture),
      missing: (number, range) => this.#listener.missing?.(number, range),
      gone: (why) => {
        this.#asked = undefined; // when it is there again, it is asked for again
        this.say(why);
      },
      note: (text) => this.say(text),
      reopened: () => {
        this.#asked = undefined;
        this.#kept = 0;
        this.#look();
      },
    };
  }

  /** @param {Sent} picture */
  #take(picture) {
    const isStored = picture.header.asked === true;
    const isWanted = this.#isPaused === isStored;
    const isH264 = picture.header.codec === "h264";
    // What is not wanted is decoded too where those after it need it.
    const decoded = isH264 ? this.#h264.decode(picture) : isWanted ? decodeJpeg(picture) : Promise.resolve(undefined);
    this.#inOrder(picture, isStored, decoded, isStored ? undefined : () => this.#giveCredit());
  }

  /**
   * @param {Sent} picture
   * @param {boolean} isStored
   * @param {Promise<Image | undefined>} decoded
   * @param {() => void} [then]
   */
  #inOrder(picture, isStored, decoded, then) {
    decoded.catch(() => {}); // it is told below, in its turn
    this.#before = this.#before.then(async () => {
      try {
        const image = await decoded;
        if (this.#isPaused === isStored && image !== undefined) {
          this.#draw(picture, image);
        }
        image?.close();
      } catch (error) {
        this.say(
          `frame ${picture.header.number} cannot be decoded: ${error instanceof Error ? error.message : error}`,
        );
      }
      then?.();
    });
  }

  /** @param {Sent} picture @param {Image} image */
  #draw(picture, image) {
    const { header, arrivedMs } = picture;
    const { canvas } = this;
    if (canvas.width !== header.width) canvas.width = header.width;
    if (canvas.height !== header.height) canvas.height = header.height;
    this.#context.drawImage(image, 0, 0);
    const nowMs = performance.now();
    const delayMs = header.ageMs === undefined ? undefined : header.ageMs + nowMs - arrivedMs;
    if (!this.#isPaused) this.meter.add(nowMs, delayMs);
    this.header = header;
    this.say(undefined);
    this.#tell(header, delayMs);
    this.#listener.drawn?.(picture);
  }

  /**
   * For tests, and for people that look at the page's elements.
   *
   * @param {Header} header
   * @param {number | undefined} delayMs
   */
  #tell(header, delayMs) {
    Object.assign(this.canvas.dataset, {
      number: String(header.number),
      codec: header.codec,
      timestamp: header.timestampNs,
      delay: delayMs === undefined ? "" : delayMs.toFixed(1),
      drawn: String(++this.#drawnCount),
    });
  }

  #giveCredit() {
    if (this.#sight.isSeen) this.#channel?.shown();
    else this.#kept++;
  }
}
