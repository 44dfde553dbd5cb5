/**
 * `nats://user:password@host:port/subject`, taken apart. No message shows what it has in it of secrets.
 *
 * @module
 */
/** Where a relay connects, and what its messages are called. */
export type Address = {
  /** Undefined where a context says it. */
  server?: string;
  subject: string;
  user?: string;
  password?: string;
  token?: string;
};

const EXAMPLE = "as nats://host/subject, nats://user:password@host:4222/subject or tls://host/subject";
/** A subject whose parts are separated by full stops. */
const SUBJECT = /^[^\s\p{Cc}.*>/]+(\.[^\s\p{Cc}.*>/]+)*$/u;

/** Takes an address apart, or says why it cannot be used. */
export function parseAddress(text: string): Address | { refused: string } {
  const refuse = (why: string) => ({ refused: `${why}; write it ${EXAMPLE}` });
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return refuse("it is no URL");
  }
  const { protocol, hostname, port, pathname, search, hash } = url;
  if (protocol !== "nats:" && protocol !== "tls:") {
    return refuse(`"${protocol.slice(0, -1)}" is not a scheme of NATS, which are nats and tls`);
  }
  if (search !== "" || hash !== "") return refuse("nothing may follow the subject");
  const subject = decode(pathname.slice(1));
  if (subject === undefined || !SUBJECT.test(subject)) {
    const what = subject === "" ? "the subject is missing" : `"${pathname.slice(1)}" is not a subject`;
    return refuse(`${what}: parts of it are separated by full stops, without spaces, *, > and /`);
  }
  const [user, password] = [decode(url.username), decode(url.password)];
  if (user === undefined || password === undefined) return refuse("user and password are not encoded as in a URL");
  const secrets = password !== "" ? { user, password } : user !== "" ? { token: user } : {};
  if (hostname === "") return { subject, ...secrets };
  return { server: `${protocol}//${hostname}${port === "" ? "" : `:${port}`}`, subject, ...secrets };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
