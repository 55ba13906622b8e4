// Requests to the node that this page came from. The key lives in the tab's session storage and goes out in a header.

const storageName = "usher.key";
const patienceMilliseconds = 20_000;
const attempts = 4;

/** An answer that is a refusal, in the API's own words. */
export class Refusal extends Error {
  constructor(status, body, fields) {
    const text = (name) => (typeof body?.[name] === "string" ? body[name] : null);
    super(text("detail") ?? "");
    this.status = status;
    /** A number of the error table, such as 12107; else the title that the bots API has, if there is one. */
    this.code = Number.isInteger(body?.code) && body.code !== status ? String(body.code) : text("error");
    /** The number of the meeting that stands in the way. */
    this.meeting = Number.isInteger(body?.meeting_id) ? body.meeting_id : null;
    this.requestID = fields.get("X-Request-Id");
    this.pauseSeconds = Number(fields.get("Retry-After")) || 0;
  }
}

/** No answer came: of a change it is not known whether it was done. */
export class NoAnswer extends Error {}

export const session = {
  key: () => sessionStorage.getItem(storageName),
  begin: (key) => sessionStorage.setItem(storageName, key),
  end: () => sessionStorage.removeItem(storageName),
};

/** Names a wish, so that it is done once however often it is said. */
export function newWish() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function get(path, { query, signal, key } = {}) {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const search = pairs.length ? `?${new URLSearchParams(pairs)}` : "";
  return once("GET", path + search, { signal, key });
}

/** Whether nobody knows what became of a request, or nobody had time for it: a node has just died, or is about to stop. */
function isUndecided(error) {
  return error instanceof NoAnswer || ([502, 503, 504].includes(error.status) && error.pauseSeconds <= 2);
}

/**
 * A change. With a wish it is said again where no answer comes, as when a node has just died: it is done once. Without
 * one it is for the reader to say it again.
 */
export async function change(method, path, { body, wish } = {}) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(method, path, { body, wish });
    } catch (error) {
      if (!isUndecided(error) || !wish || attempt === attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, 400 * attempt));
    }
  }
}

async function once(method, path, { body, wish, signal, key }) {
  const headers = new Headers();
  try {
    headers.set("X-API-Key", key ?? session.key() ?? "");
  } catch {
    // No key has signs that a header field cannot carry; the API says what it thinks of none.
  }
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (wish) headers.set("Idempotency-Key", wish);
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), patienceMilliseconds);
  const giveUp = () => patience.abort();
  signal?.addEventListener("abort", giveUp);
  try {
    const answer = await fetch(path, {
      method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal: patience.signal,
      cache: "no-store", credentials: "omit", redirect: "error", referrerPolicy: "no-referrer",
    });
    const text = await answer.text();
    let parsed = null;
    try {
      parsed = text ? JSON.parse(text) : null;
    } catch {
      if (answer.ok) throw new NoAnswer();
    }
    if (answer.ok) return parsed;
    const refusal = new Refusal(answer.status, parsed, answer.headers);
    if (refusal.status === 401 && key === undefined) {
      document.dispatchEvent(new CustomEvent("refused", { detail: refusal }));
    }
    throw refusal;
  } catch (error) {
    throw error instanceof Refusal ? error : new NoAnswer();
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}
