// How the pages learn what has changed: they ask again and again. Whatever takes its place keeps this one function.

const hurriedMilliseconds = 1_000;
const slowestMilliseconds = 15_000;

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
