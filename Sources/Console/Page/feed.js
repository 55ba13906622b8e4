// How the pages learn what has changed: a node tells them, and where none does they ask again and again.

import { stream } from "/console/api.js";

const hurriedMilliseconds = 1_000;
const slowestMilliseconds = 15_000;
// A node says something every three seconds. Where nothing comes for so long it is gone, or a proxy keeps it back.
const silenceMilliseconds = 10_000;

/**
 * Asks now, and then every so often while the page is in sight.
 * @param ask gets an AbortSignal and returns what there is.
 * @param show gets what was found, where it came.
 * @param trouble gets the error where nothing came, and null once something does again.
 * @returns `again`, which asks at once and drops what is under way, and `stop`.
 */
export function follow(ask, { show, trouble, every = () => 2_500 }) {
  let [round, timer, asking, failures, isStopped] = [0, 0, null, 0, false];

  async function next() {
    clearTimeout(timer);
    asking?.abort();
    const mine = ++round;
    asking = new AbortController();
    let pause = every();
    let found;
    let failure = null;
    try {
      found = await ask(asking.signal);
    } catch (error) {
      failure = error;
    }
    if (isStopped || mine !== round) return;
    asking = null;
    if (failure) {
      pause = Math.max((failure.pauseSeconds ?? 0) * 1_000, Math.min(hurriedMilliseconds * 2 ** failures, slowestMilliseconds));
      failures += 1;
    } else {
      failures = 0;
      show(found);
    }
    trouble(failure);
    if (!isStopped && mine === round && !document.hidden) timer = setTimeout(next, pause);
  }

  const onSight = () => {
    if (document.hidden) clearTimeout(timer);
    else next();
  };
  document.addEventListener("visibilitychange", onSight);
  next();
  return {
    again: next,
    stop() {
      isStopped = true;
      clearTimeout(timer);
      asking?.abort();
      document.removeEventListener("visibilitychange", onSight);
    },
  };
}

/**
 * Has a node tell what happens (docs/live.md, "Events"), while the page is in sight: a browser has few connections to a
 * server, for all of its tabs together.
 * @param after returns the cursor to go on from; null is from now on.
 * @param take gets each message.
 * @param turned is told when a node begins to tell, and when none does any more: then it is for the page to ask.
 * @returns `isTelling`, `again`, which begins anew from the cursor, and `stop`.
 */
export function listen(path, { query, after, take, turned = () => {} }) {
  let [opening, timer, watch, failures, isTelling, isStopped] = [null, 0, 0, 0, false, false];

  function turn(flag) {
    if (isTelling === flag) return;
    isTelling = flag;
    turned(flag);
  }

  async function run() {
    clearTimeout(timer);
    opening?.abort();
    const mine = new AbortController();
    opening = mine;
    const heard = () => {
      if (opening !== mine) return;
      clearTimeout(watch);
      watch = setTimeout(() => mine.abort(), silenceMilliseconds);
    };
    heard();
    try {
      await stream(path, {
        query: { ...query, after: after() }, signal: mine.signal, heard,
        take(message) {
          if (mine.signal.aborted || isStopped) return;
          failures = 0;
          try {
            take(message);
          } catch (error) {
            // A fault of the page, which is not to pass for an end of the stream.
            reportError(error);
          }
          turn(true);
        },
      });
    } catch {
      // Why it ended those are told that ask.
    }
    if (isStopped || opening !== mine) return;
    clearTimeout(watch);
    const pause = Math.min(hurriedMilliseconds / 2 * 2 ** failures, slowestMilliseconds);
    failures += 1;
    if (!document.hidden) timer = setTimeout(run, pause);
    turn(false);
  }

  const onSight = () => {
    failures = 0;
    if (!document.hidden) return run();
    clearTimeout(timer);
    opening?.abort();
  };
  document.addEventListener("visibilitychange", onSight);
  run();
  return {
    isTelling: () => isTelling,
    again: run,
    stop() {
      isStopped = true;
      clearTimeout(timer);
      clearTimeout(watch);
      opening?.abort();
      document.removeEventListener("visibilitychange", onSight);
    },
  };
}
