// @ts-check
/**
 * The token that a server beyond this machine wants. It comes in the fragment of the address that the server prints, is
 * handed in once, and then kept in a cookie that no script can read.
 *
 * @module
 */
import { make, setNote } from "./dom.js";

/** Has the server leave out what makes the browser ask for a name and a password itself. */
const ACCEPT = { Accept: "application/json" };

/** The token of the address, which is then without it. @returns {string | undefined} */
export function takeToken() {
  const parameters = new URLSearchParams(location.hash.slice(1));
  const token = parameters.get("token") ?? undefined;
  if (token !== undefined) {
    history.replaceState(null, "", location.pathname + location.search);
  }
  return token;
}

/** Hands a token in. @param {string} token @returns {Promise<boolean>} whether it is the right one */
export async function handIn(token) {
  const headers = { ...ACCEPT, Authorization: `Bearer ${token}` };
  const { ok, status } = await fetch("/api/session", {
    method: "POST",
    headers,
  });
  if (!ok && status !== 401) {
    throw new Error(`the server has refused the token with status ${status}`);
  }
  return ok;
}

/** @returns {Promise<"in" | "out" | "unreachable">} whether the server lets this page in */
export async function admission() {
  try {
    const { status } = await fetch("/api/depots", { headers: ACCEPT });
    return status === 401 ? "out" : "in";
  } catch {
    return "unreachable";
  }
}

/** Asks for the token until it is right. @param {HTMLElement} place @param {boolean} wasWrong */
export function askForToken(place, wasWrong) {
  const field = make("input", {
    type: "password",
    id: "token",
    autocomplete: "off",
    required: "",
    spellcheck: "false",
  });
  const note = make("p", {
    class: "slow",
    role: "alert",
    "data-level": "bad",
    hidden: "",
  });
  const form = make(
    "form",
    { class: "message" },
    make("h2", {}, "Token"),
    make("p", {}, "This server wants the token that it printed when it was started, at the end of its address."),
    make("label", { for: "token" }, "Token"),
    field,
    make("button", { type: "submit" }, "Go on"),
    note,
  );
  setNote(note, wasWrong ? "the token of the address is not the one of this server" : undefined);
  place.replaceChildren(form);
  field.focus();
  return new Promise((/** @type {(value: void) => void} */ resolve) => {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        if (!await handIn(field.value.trim())) {
          return setNote(note, "that is not the token of this server");
        }
        form.remove();
        resolve();
      } catch (error) {
        setNote(note, error instanceof Error ? error.message : String(error));
      }
    });
  });
}
