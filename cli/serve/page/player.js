// @ts-check
/**
 * The picture of one depot, and what can be done with it: pause, step, go on, save.
 *
 * @module
 */
/** @import { Channels } from "./channels.js" */
/** @import { Depot } from "./messages.js" */
import { make, makeFigures, setNote, setText } from "./dom.js";
import { duration, rate, timestamp } from "./format.js";
import { leave } from "./place.js";
import { Picture } from "./picture.js";
import { Remembered } from "./remembered.js";
import { savePng } from "./saving.js";

/** An answer to a step that has not come by then does not come. */
const ANSWER_MS = 3000;

export class Player {
  element = make("section", { class: "player", "aria-label": "Picture" });
  #picture;
  #figures = makeFigures(["frame", "timestamp", "drawn/s", "delay"], "figures");
  #note = make("p", { class: "player-note", role: "status", hidden: "" });
  #pauseButton = make("button");
  #remembered = new Remembered();
  /** The step that is under way. @type {{ from: number, by: -1 | 1, atMs: number } | undefined} */
  #step;
  /** @type {Depot | undefined} */
  #depot;

  /** @param {Channels} channels */
  constructor(channels) {
    this.#picture = new Picture(channels, {
      drawn: (picture) => {
        this.#step = undefined;
        if (!this.#picture.isPaused) this.#remembered.add(picture);
        this.#showFrame();
      },
      missing: (number, range) => this.#missing(number, range),
    });
    const [backwards, forwards, save] = ["← Step", "Step →", "Save PNG"].map((text) => make("button", {}, text));
    backwards.ariaLabel = "Step back";
    forwards.ariaLabel = "Step forward";
    const controls = make(
      "div",
      { class: "controls" },
      this.#button(this.#pauseButton, "Space", () => this.#togglePause()),
      this.#button(backwards, "ArrowLeft", () => this.#stepBy(-1)),
      this.#button(forwards, "ArrowRight", () => this.#stepBy(1)),
      this.#button(save, "S", () => this.#save()),
    );
    this.element.append(this.#picture.element, controls, this.#figures.list, this.#note);
    this.#figures.values.delay.title = "from publishing to drawing, median of the last two seconds";
    this.#showPause();
    addEventListener("keydown", this.#onKey);
  }

  /** @param {Depot} depot */
  show(depot) {
    if (this.#depot !== undefined && this.#depot.id !== depot.id) {
      this.#remembered.clear(); // they are of another depot
      this.#step = undefined;
    }
    this.#depot = depot;
    this.#picture.follow(depot);
    this.element.dataset.state = depot.state;
    this.#showRates();
  }

  close() {
    this.#picture.close();
    removeEventListener("keydown", this.#onKey);
  }

  /** @param {HTMLButtonElement} button @param {string} key that does the same @param {() => void} press */
  #button(button, key, press) {
    button.type = "button";
    button.setAttribute("aria-keyshortcuts", key);
    button.addEventListener("click", press);
    return button;
  }

  /** @param {KeyboardEvent} event */
  #onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const onButton = event.target instanceof HTMLButtonElement && (event.key === " " || event.key === "Enter");
    if (onButton || event.target instanceof HTMLInputElement) return; // the key is the element's
    /** @type {Record<string, () => void>} */
    const keys = {
      " ": () => this.#togglePause(),
      ArrowLeft: () => this.#stepBy(-1),
      ArrowRight: () => this.#stepBy(1),
      Escape: leave,
      s: () => this.#save(),
    };
    const press = keys[event.key];
    if (press === undefined) return;
    event.preventDefault();
    press();
  };

  #togglePause() {
    const { header } = this.#picture;
    if (this.#picture.isPaused) {
      this.#step = undefined;
      this.#picture.live();
      setNote(this.#note, undefined);
    } else if (header !== undefined) this.#picture.pauseAt(header.number);
    this.#showPause();
  }

  /** @param {-1 | 1} by */
  #stepBy(by) {
    const { header } = this.#picture;
    const isUnderWay = this.#step !== undefined && performance.now() - this.#step.atMs < ANSWER_MS;
    if (header === undefined || isUnderWay) return;
    this.#step = { from: header.number, by, atMs: performance.now() };
    setNote(this.#note, undefined);
    this.#picture.step(header.number, by);
    this.#showPause();
  }

  /** @param {number} number @param {readonly [number, number] | undefined} range */
  #missing(number, range) {
    const step = this.#step;
    this.#step = undefined;
    const stored = range === undefined ? "no frame is stored" : `frames ${range[0]} to ${range[1]} are`;
    if (step === undefined) return setNote(this.#note, `Frame ${number} is no longer stored; ${stored}.`);
    const remembered = this.#remembered.beside(step.from, step.by);
    if (remembered !== undefined) {
      this.#picture.redraw(remembered);
      return setNote(this.#note, "This frame is no longer stored: the page remembers its picture.");
    }
    const isNext = step.by > 0 && range !== undefined && range[0] > step.from;
    if (isNext) return this.#picture.pauseAt(range[0]);
    setNote(this.#note, `There is no frame ${step.by < 0 ? "before" : "after"} frame ${step.from}; ${stored}.`);
  }

  async #save() {
    const { header, canvas } = this.#picture;
    if (header === undefined || this.#depot === undefined) return;
    setNote(this.#note, await savePng(this.#depot.name, header, canvas));
  }

  #showPause() {
    setText(this.#pauseButton, this.#picture.isPaused ? "Go on" : "Pause");
    this.#pauseButton.setAttribute("aria-pressed", String(this.#picture.isPaused));
    this.element.dataset.paused = String(this.#picture.isPaused);
    this.#showRates();
  }

  #showFrame() {
    const { header } = this.#picture;
    if (header === undefined) return;
    setText(this.#figures.values.frame, String(header.number));
    setText(this.#figures.values.timestamp, timestamp(header.timestampNs));
    this.#figures.values.timestamp.title = `${header.timestampNs} ns`;
  }

  #showRates() {
    const { perSecond, delayMs } = this.#picture.meter.read();
    const isPaused = this.#picture.isPaused;
    setText(this.#figures.values["drawn/s"], isPaused ? "paused" : rate(perSecond));
    setText(this.#figures.values.delay, isPaused || delayMs === undefined ? "–" : duration(delayMs));
  }
}
