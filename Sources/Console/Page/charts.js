// The last hour of a node, a bar for each minute, drawn here.

import { h, svg } from "/console/dom.js";
import { duration, number, timeOfDay } from "/console/format.js";
import { texts } from "/console/texts.js";

const [minutesShown, barWidth, height] = [60, 5, 60];

/** What a node remembers, in pictures and in words. */
export function charts(minutes) {
  if (!minutes.length) return h("p", { class: "empty" }, texts.noHistory);
  return h("div", { class: "charts" },
    chart(minutes, texts.botsSent, (one) => one.dispatches),
    chart(minutes, texts.requestsAnswered, (one) => one.requests, (one) => one.failures),
    chart(minutes, texts.oldestWait, (one) => one.waiting_ms ?? 0, null, (value) => duration(value / 1_000)));
}

/** @param bad of which a part stands out, as failures among requests. */
function chart(minutes, title, value, bad, say = number) {
  const values = minutes.map(value);
  const top = Math.max(1, ...values);
  const failed = bad ? minutes.reduce((sum, one) => sum + bad(one), 0) : 0;
  const words = [texts.lastMinute(say(values.at(-1))), texts.most(say(Math.max(...values))), bad && texts.failed(number(failed))]
    .filter(Boolean).join(", ");
  const bar = (amount, index, name) => svg("rect", {
    class: name, x: (minutesShown - minutes.length + index) * barWidth, width: barWidth - 1,
    // What was little is seen too.
    y: height - Math.max(1, amount / top * height), height: Math.max(1, amount / top * height),
  });
  return h("figure", {}, h("figcaption", {}, h("strong", {}, title), h("p", { class: "faint" }, words)),
    svg("svg", { viewBox: `0 0 ${minutesShown * barWidth} ${height}`, role: "img", "aria-label": `${title}: ${words}` },
      minutes.map((one, index) => [value(one) ? bar(value(one), index, "bar") : null, bad?.(one) ? bar(bad(one), index, "bar bad") : null]),
      svg("path", { class: "axis", d: `M0 ${height - 0.5}H${minutesShown * barWidth}` })),
    h("p", { class: "faint ends" }, timeOfDay(minutes[0].ended_at), timeOfDay(minutes.at(-1).ended_at)));
}
