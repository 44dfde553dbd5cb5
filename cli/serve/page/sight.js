// @ts-check
/**
 * Whether an element can be seen, and when its size has changed.
 *
 * @module
 */

/** How long a size must stay before it counts. */
const SETTLE_MS = 150;
/** What is this far outside the window counts as seen: it may be there in a moment. */
const MARGIN = "200px";

export class Sight {
  #changed;
  #isInSight = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #settling;
  #place = new IntersectionObserver((entries) => {
    this.#isInSight = entries[entries.length - 1].isIntersecting;
    this.#changed();
  }, { rootMargin: MARGIN });
  #size = new ResizeObserver(() => {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#changed(), SETTLE_MS);
  });
  #onTabChange = () => this.#changed();

  /** @param {Element} element @param {() => void} changed */
  constructor(element, changed) {
    this.#changed = changed;
    this.#place.observe(element);
    this.#size.observe(element);
    document.addEventListener("visibilitychange", this.#onTabChange);
  }

  get isSeen() {
    return this.#isInSight && document.visibilityState === "visible";
  }

  close() {
    this.#place.disconnect();
    this.#size.disconnect();
    clearTimeout(this.#settling);
    document.removeEventListener("visibilitychange", this.#onTabChange);
  }
}
