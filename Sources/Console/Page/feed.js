// How the pages learn what has changed: a node tells them, and where none does they ask again and again.

import { stream } from "/console/api.js";

const hurriedMilliseconds = 1_000;
const slowestMilliseconds = 15_000;
// Between what is asked because something was told: much may be told at once.
const leastMilliseconds = 1_500;
const gatherMilliseconds = 300;
// A node says something every three seconds. Where nothing comes for so long it is gone, or a proxy keeps it back.
const silenceMilliseconds = 10_000;
/** Of what changes seldom. */
export const seldom = () => 5_000;

/**
 * Asks now, and then every so often while the page is in sight.
 * @param ask gets an AbortSignal and returns what there is.
 * @param show gets what was found, where it came.
 * @param trouble gets the error where nothing came, and null once something does again.
 * @returns `again`, which asks at once and drops what is under way; `soon`, which lets it come, and asks once after it;
 *   `hold`, which asks nothing until `again`; and `stop`.
 */
export function follow(ask, { show, trouble, every = () => 2_500 }) {
  let [round, timer, asking, failures, isStopped] = [0, 0, null, 0, false];
  let [begun, due, isAgain, isHeld] = [0, Infinity, false, false];

  function drop() {
    clearTimeout(timer);
    asking?.abort();
    [asking, due] = [null, Infinity];
    round += 1;
  }

  function wait(milliseconds) {
    clearTimeout(timer);
    if (document.hidden || milliseconds === Infinity) return;
    due = performance.now() + milliseconds;
    timer = setTimeout(next, milliseconds);
  }

  function soon() {
    if (isStopped || isHeld || failures) return;
    if (asking) {
      isAgain = true;
      return;
    }
    const pause = Math.max(gatherMilliseconds, begun + leastMilliseconds - performance.now());
    if (performance.now() + pause < due) wait(pause);
  }

  async function next() {
    if (isStopped || isHeld || document.hidden) return;
    drop();
    const mine = round;
    asking = new AbortController();
    [begun, isAgain] = [performance.now(), false];
    let pause;
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
      pause = isAgain ? Math.max(0, begun + leastMilliseconds - performance.now()) : every();
    }
    trouble(failure);
    if (!isStopped && mine === round) wait(pause);
  }

  const onSight = () => {
    if (document.hidden) clearTimeout(timer);
    else next();
  };
  document.addEventListener("visibilitychange", onSight);
  next();
  return {
    again() {
      isHeld = false;
      return next();
    },
    soon,
    hold() {
      isHeld = true;
      drop();
    },
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
    if (isStopped || document.hidden) return;
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
    timer = setTimeout(run, pause);
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
