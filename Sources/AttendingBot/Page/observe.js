// What the bot sees of a page and does in it, by the platform's data (Platforms/*.json). It runs before any script of the
// page's own, in every document. `usherPlatform` is put in front of it.
(() => {
  if (window.__usher) return;
  const platform = usherPlatform;
  const usher = (window.__usher = { platform });
  // Pages write both apostrophes.
  const plain = (text) => (text || '').replace(/\u2019/g, "'").replace(/\s+/g, ' ').trim();
  // Shortened, and no letter cut in two: half of one cannot be sent.
  const cut = (text, length) => text.slice(0, length).toWellFormed();
  const isVisible = (element) => {
    const box = element.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && getComputedStyle(element).visibility !== 'hidden';
  };
  const visible = (selector) => [...document.querySelectorAll(selector)].filter(isVisible);
  const label = (element) => plain(element.getAttribute('aria-label') || element.innerText);
  const buttons = () => visible('button, [role=button]').filter((element) => !element.disabled);

  // What a step is done with: exact labels first, in their order, and structure last.
  function target(step) {
    const { labels = [], selectors = [] } = platform.steps[step];
    const all = buttons();
    for (const wanted of labels) {
      const found = all.find((element) => label(element) === wanted);
      if (found) return found;
    }
    for (const selector of selectors) {
      const [found] = visible(selector);
      if (found) return found;
    }
    return null;
  }

  // Where to click for a step, in pixels of the window; null if there is nothing for it.
  usher.find = (step) => {
    const element = target(step);
    if (!element) return null;
    element.scrollIntoView({ block: 'center', inline: 'center' });
    const box = element.getBoundingClientRect();
    return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  };

  // Puts the cursor into the field of the name, with all that is there marked; null if there is no such field.
  usher.focusName = () => {
    const field = target('name');
    if (!field) return null;
    field.focus();
    field.select?.();
    return true;
  };

  // What a sign is told by: the text, selector or address that is there; undefined if none is.
  const told = (name, text) => {
    const { texts = [], selectors = [], addresses = [] } = platform.signs[name] || {};
    return (
      texts.find((wanted) => text.includes(wanted)) ||
      selectors.find((selector) => visible(selector).length > 0) ||
      addresses.find((address) => location.href.startsWith(address))
    );
  };

  const order = ['denied', 'unanswered', 'refused', 'sign_in', 'help', 'removed', 'ended', 'left', 'disconnected', 'lobby'];

  // What the page is at, what tells so, and how many others there are (null: it does not tell). The toolbar is there in
  // the lobby too: whoever is in the room sees tiles, and is told of no lobby. Who sees others is in the room whatever the
  // texts say, since they may be lines of the chat.
  usher.look = () => {
    const text = plain(document.body?.innerText).slice(0, 100000);
    const people = platform.people;
    const tiles = people ? visible(people.tile) : [];
    const others = tiles.filter((tile) => !tile.matches(people.self) && !tile.querySelector(people.self)).length;
    const mayLeave = target('leave') !== null;
    const count = people ? others : null;
    const seen = (sign, why = '') => ({ sign, why: cut(why, 200), others: count, mayLeave });
    if (mayLeave && others > 0) return seen('room');
    for (const sign of order) {
      const why = told(sign, text);
      if (why) return seen(sign, why);
    }
    const isIn = mayLeave && (!people || tiles.length > 0);
    return seen(isIn ? 'room' : target('join') ? 'door' : 'unknown');
  };

  // For the report of a miss: what a person would see of the page, shortened.
  usher.outline = () =>
    `"${cut(plain(document.title), 80)}", buttons: ` +
    (buttons().map((element) => cut(label(element), 40)).filter(Boolean).slice(0, 12).join(', ') || 'none');

  usher.tileName = (tile) => {
    const name = tile?.querySelector(platform.people.name);
    return cut(plain(name?.textContent || tile?.getAttribute('aria-label')), 200);
  };
})();
