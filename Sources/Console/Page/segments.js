// A transcript as the reader has it: in the order in which `GET /transcripts` shows it, and kept in step with what is told.

const milliseconds = (seconds) => Math.round(seconds * 1_000);
const speakerOf = (segment) => segment.speaker_key ?? segment.speaker ?? "";

/** What tells a segment apart from all others of its meeting. */
export function keyOf(segment) {
  return `${segment.session_uid}:${segment.segment_id}`;
}

export class Segments {
  /** In order. */
  list = [];
  #known = new Map();
  #drafts = new Map();
  #sessions = new Map();
  #speakers = new Map();

  /** @param before what was shown before: speakers keep their numbers. */
  constructor(before) {
    if (before) this.#speakers = new Map(before.#speakers);
  }

  get draftCount() {
    return this.#drafts.size;
  }

  /** Adds what comes after all that is there. */
  append(list) {
    for (const segment of list) {
      this.#note(segment);
      this.list.push(segment);
    }
  }

  /** Adds a segment, or puts it in place of the one that is there. */
  put(segment) {
    this.#drop(this.#known.get(keyOf(segment)));
    this.#note(segment);
    this.list.splice(this.#placeOf(segment), 0, segment);
  }

  /** All drafts of a speaker, in place of those that there are. */
  putDrafts(speaker, drafts) {
    for (const draft of [...this.#drafts.values()]) if (speakerOf(draft) === speaker) this.#drop(draft);
    for (const draft of drafts) this.put(draft);
  }

  /** @returns false where two sessions have a segment of this id, and nobody said which one is meant. */
  retract(id) {
    const found = [...this.#sessions.keys()].map((session) => this.#known.get(`${session}:${id}`)).filter(Boolean);
    if (found.length > 1) return false;
    this.#drop(found[0]);
    return true;
  }

  /** The number of a segment's speaker, in the order in which they came. */
  speaker(segment) {
    return this.#speakers.get(segment.speaker) ?? 0;
  }

  /** The one that is under way in a session at this time, as its place in the list; -1 before the first. */
  indexAt(session, seconds) {
    if (!this.#sessions.has(session)) return -1;
    const index = this.#placeOf({ session_uid: session, start: seconds, end: Infinity, segment_id: "" }) - 1;
    return this.list[index]?.session_uid === session ? index : -1;
  }

  #note(segment) {
    this.#known.set(keyOf(segment), segment);
    if (!segment.completed) this.#drafts.set(keyOf(segment), segment);
    if (!this.#sessions.has(segment.session_uid)) this.#sessions.set(segment.session_uid, this.#sessions.size);
    if (!this.#speakers.has(segment.speaker)) this.#speakers.set(segment.speaker, this.#speakers.size);
  }

  #drop(segment) {
    if (!segment) return;
    this.list.splice(this.#placeOf(segment), 1);
    this.#known.delete(keyOf(segment));
    this.#drafts.delete(keyOf(segment));
  }

  /** The session that begins later comes later; in each by start, end and id. */
  #compare(one, other) {
    return this.#sessions.get(one.session_uid) - this.#sessions.get(other.session_uid)
      || milliseconds(one.start) - milliseconds(other.start) || milliseconds(one.end) - milliseconds(other.end)
      || (one.segment_id < other.segment_id ? -1 : Number(one.segment_id > other.segment_id));
  }

  /** Where it is, or is to be. */
  #placeOf(segment) {
    let [low, high] = [0, this.list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.list[middle], segment) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Whether a cursor is of a later change than another one, or of none that is known. */
export function isLater(cursor, other) {
  const [one, two] = [cursor, other].map((text) => (text ?? "0-0").split("-").map(Number));
  return one[0] - two[0] > 0 || (one[0] === two[0] && one[1] > two[1]);
}
