// Requests to the node that this page came from. The key lives in the tab's session storage and goes out in a header.

const [storageName, adminStorageName] = ["usher.key", "usher.admin-key"];
// Without a byte.
const silenceMilliseconds = 20_000;
const attempts = 4;
// In characters: the feed's longest message has all drafts of a speaker.
const longestEvent = 2_000_000;

/** An answer that is a refusal, in the API's own words. */
export class Refusal extends Error {
  constructor(status, body, fields) {
    const text = (name) => (typeof body?.[name] === "string" ? body[name] : null);
    super(text("detail") ?? "");
    this.status = status;
    this.isOfAPI = text("detail") !== null;
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
  key: () => sessionStorage.getItem(storageName) ?? sessionStorage.getItem(adminStorageName),
  /** Whether it is the service's admin key. */
  isAdmin: () => sessionStorage.getItem(storageName) === null && sessionStorage.getItem(adminStorageName) !== null,
  begin: (key, isAdmin) => sessionStorage.setItem(isAdmin ? adminStorageName : storageName, key),
  end: () => [storageName, adminStorageName].forEach((name) => sessionStorage.removeItem(name)),
};

/** Names a wish, so that it is done once however often it is said. */
export function newWish() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function withQuery(path, query) {
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return pairs.length ? `${path}?${new URLSearchParams(pairs)}` : path;
}

/** @param read makes what is returned of an answer; of JSON if it is absent. */
export async function get(path, { query, ...how } = {}) {
  return once("GET", withQuery(path, query), how);
}

/**
 * A stream of Server-Sent Events, by fetch: an EventSource can send no fields, so that the key would stand in the address.
 * @param heard is told whenever something comes; `take` gets each message.
 * @returns once the stream is at its end.
 */
export async function stream(path, { query, signal, heard, take }) {
  const used = session.key();
  const answer = await ask("GET", withQuery(path, query), { signal });
  if (!answer.ok) throw await refusal(answer, used);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      const events = (text + value).split("\n\n");
      text = events.pop();
      if (text.length > longestEvent) return;
      for (const event of events) {
        const data = event.split("\n").find((line) => line.startsWith("data: "));
        if (data) take(JSON.parse(data.slice(6)));
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
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

/** @param used the session's key by which was asked; null if it was another one. */
async function refusal(answer, used) {
  let body = null;
  try {
    body = JSON.parse(await answer.text());
  } catch {
    // Nothing that the API said: a balancer did.
  }
  const refusal = new Refusal(answer.status, body, answer.headers);
  // `/admin` says 403 of a key that is not, or no more, its own.
  if (refusal.status === (session.isAdmin() ? 403 : 401) && used !== null && used === session.key()) document.dispatchEvent(new CustomEvent("refused", { detail: refusal }));
  return refusal;
}

function ask(method, path, { body, wish, range, signal, key, isAdmin = session.isAdmin() }) {
  const headers = new Headers();
  try {
    headers.set(isAdmin ? "X-Admin-API-Key" : "X-API-Key", key ?? session.key() ?? "");
  } catch {
    // No key has signs that a header field cannot carry; the API says what it thinks of none.
  }
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (wish) headers.set("Idempotency-Key", wish);
  if (range) headers.set("Range", range);
  return fetch(path, {
    method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal, cache: "no-store",
    credentials: "omit", redirect: "error", referrerPolicy: "no-referrer",
  });
}

async function once(method, path, { signal, read = readJSON, ...how }) {
  const used = how.key === undefined ? session.key() : null;
  const time = new AbortController();
  const giveUp = () => time.abort();
  let timer = 0;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, silenceMilliseconds);
  };
  heard();
  signal?.addEventListener("abort", giveUp);
  try {
    const answer = await ask(method, path, { ...how, signal: time.signal });
    if (!answer.ok) throw await refusal(answer, used);
    const body = answer.body?.pipeThrough(new TransformStream({
      transform(piece, controller) {
        heard();
        controller.enqueue(piece);
      },
    }));
    return await read(new Response(body ?? null, { headers: answer.headers }));
  } catch (error) {
    throw error instanceof Refusal ? error : new NoAnswer();
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}

async function readJSON(answer) {
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}
