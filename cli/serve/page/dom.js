// @ts-check
/**
 * Elements of the page. A text is always text: no name that another process chose is read as HTML.
 *
 * @module
 */

/**
 * Makes an element.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/**
 * Gives an element a text, unless it has it: what has not changed is not laid out again.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Shows a text, or hides the element where there is none.
 *
 * @param {HTMLElement} element
 * @param {string | undefined} text
 */
export function setNote(element, text) {
  setText(element, text ?? "");
  element.hidden = !text;
}

/**
 * A list of labels with their values, in which a value can be set.
 *
 * @template {string} Label
 * @param {readonly Label[]} labels
 * @param {string} kind the class of the list
 * @returns {{ list: HTMLDListElement, values: Record<Label, HTMLElement> }}
 */
export function makeFigures(labels, kind) {
  const pairs = labels.map((label) => /** @type {const} */ ([label, make("dd")]));
  const list = make(
    "dl",
    { class: kind },
    ...pairs.map(([label, value]) => make("div", {}, make("dt", {}, label), value)),
  );
  return {
    list,
    values: /** @type {Record<Label, HTMLElement>} */ (Object.fromEntries(pairs)),
  };
}
