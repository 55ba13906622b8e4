// Elements, made of names, properties and texts. Nothing here reads markup: what comes from users is text.

/**
 * An element.
 * @param properties attributes by name; `on...` are listeners, true is an empty attribute, false and null are none.
 * @param children elements and texts, in lists too; null is nothing.
 */
export function h(name, properties = {}, ...children) {
  return build(document.createElement(name), properties, children);
}

/** The same of a drawing. */
export function svg(name, properties, ...children) {
  return build(document.createElementNS("http://www.w3.org/2000/svg", name), properties, children);
}

function build(element, properties, children) {
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...present(children));
  return element;
}

function present(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

/** @param name keeps the focus on it where it is made anew. */
export function button(text, name, work, look) {
  return h("button", { type: "button", class: look, "data-focus": name, onclick: work }, text);
}

/** What users wrote: it runs in its own direction, and disturbs none around it. */
export function said(text) {
  return h("bdi", {}, text ?? "");
}

/** Puts children in place of those that were there, and the focus back to where it was among them. */
export function fill(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  element.replaceChildren(...present(children));
  if (focused === undefined) return;
  const found = [...element.querySelectorAll("[data-focus]")].find((one) => one.dataset.focus === focused);
  (found ?? element.closest("main") ?? element).focus();
}

let fields = 0;

/** A labelled field. `control` is made here if it is a description of an input. */
export function field(label, control, hint) {
  const id = `field-${++fields}`;
  control.id = id;
  if (hint) control.setAttribute("aria-describedby", `${id}-hint`);
  return h("div", { class: "field" },
    h("label", { for: id }, label), control, hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null);
}

export function option(value, text) {
  return h("option", { value }, text);
}

/** A link to elsewhere; the text alone if it leads to anything but a page of the web. */
export function outward(url) {
  if (!/^https?:\/\//i.test(url ?? "")) return said(url);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, said(url));
}

/** A list of names and values; pairs without a value are left out. */
export function facts(pairs) {
  const given = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", { class: "facts" }, given.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** Rows by their keys: one that has not changed stays the element that it is, so that nothing jumps. */
export function rows(list, key, make) {
  const known = new Map();
  return (items) => {
    const wanted = items.map((item) => {
      const [name, form] = [String(key(item)), JSON.stringify(item)];
      let row = known.get(name);
      if (!row) {
        row = { element: h("li", { class: "row" }) };
        known.set(name, row);
      }
      if (row.form !== form) {
        fill(row.element, make(item));
        row.form = form;
      }
      return row.element;
    });
    const isSame = wanted.length === list.children.length && wanted.every((one, index) => list.children[index] === one);
    if (!isSame) {
      const focused = list.contains(document.activeElement) ? document.activeElement : null;
      list.replaceChildren(...wanted);
      if (focused?.isConnected) focused.focus({ preventScroll: true });
    }
    for (const [name, row] of known) if (!row.element.isConnected) known.delete(name);
  };
}
