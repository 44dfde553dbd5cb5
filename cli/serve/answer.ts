/**
 * What is answered to a request, and the headers that every answer has.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";

/** An answer. */
export type Answer = {
  status: number;
  type?: string;
  body?: string | Uint8Array;
  headers?: Record<string, string>;
};

/** No script, style or picture from elsewhere, none inside the page's text, and no frame around it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Headers of every answer. */
export const HEADERS: Record<string, string> = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": POLICY,
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
};

/** JSON, as the commands print it. */
export function json(value: unknown, status: number = 200): Answer {
  return { status, type: "application/json", body: `${JSON.stringify(value, null, 2)}\n` };
}

/** A refusal. */
export function refusal(status: number, error: string, headers: Record<string, string> = {}): Answer {
  return { ...json({ error }, status), headers };
}

/** A client that has not taken an answer in this time gets no more of it. */
const TAKEN_MS = 120_000;

/** Sends an answer. */
export function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const { status, type, body = "", headers } = answer;
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  response.writeHead(status, {
    ...HEADERS,
    ...type === undefined ? {} : { "Content-Type": type },
    ...status === 204 ? {} : { "Content-Length": String(bytes.length) },
    ...headers,
  });
  const { socket } = request;
  if (socket.destroyed) return; // it has gone meanwhile, and neither would say so again
  const timer = setTimeout(() => socket.destroy(), TAKEN_MS);
  const done = () => {
    clearTimeout(timer);
    socket.off("close", done);
  };
  response.once("close", done);
  socket.once("close", done);
  if (request.method === "HEAD" || status === 204) response.end();
  else response.end(bytes);
}
