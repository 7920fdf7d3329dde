/* Names while one types SQL: events and properties within quotes, columns outside. Tab takes one, arrows choose, Esc leaves.
   Without this file the names stand beside the field, to be typed. */
(() => {
  "use strict";

  const field = document.getElementById("sql");
  const names = document.getElementById("sql-names");
  if (!field || !names) return;
  const kinds = Object.fromEntries(
    ["event", "property", "column"].map((kind) => [kind, [...names.querySelectorAll(`[data-kind="${kind}"]`)].map((one) => one.textContent)]),
  );
  const MOST = 8;
  const list = document.createElement("ul");
  list.className = "completions card mono small";
  list.id = "sql-completions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Names");
  list.hidden = true;
  field.after(list);
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  let word = "";
  let ending = "";
  let chosen = 0;

  /** What is being typed at the caret, and which names may stand there. */
  function typed() {
    const before = field.value.slice(0, field.selectionStart);
    const quoted = /'([^'\n]*)$/.exec(before);
    if (quoted && (before.match(/'/g).length % 2)) {
      const key = /\b(properties|flags)\[$/.exec(before.slice(0, quoted.index));
      return { word: quoted[1], ending: key ? "']" : "'", some: key?.[1] === "flags" ? [] : key ? kinds.property : kinds.event };
    }
    return { word: /[\w]*$/.exec(before)[0], ending: "", some: kinds.column };
  }

  function matching(some) {
    const wanted = word.toLowerCase();
    const starts = some.filter((name) => name.toLowerCase().startsWith(wanted));
    const holds = some.filter((name) => !starts.includes(name) && name.toLowerCase().includes(wanted));
    return [...starts, ...(word.length > 1 ? holds : [])].filter((name) => name !== word).slice(0, MOST);
  }

  function show() {
    const now = typed();
    ({ word, ending } = now);
    const found = field.selectionStart === field.selectionEnd && (word || ending) ? matching(now.some) : [];
    list.replaceChildren(
      ...found.map((name, at) => {
        const option = document.createElement("li");
        option.id = `sql-name-${at}`;
        option.setAttribute("role", "option");
        option.textContent = name;
        option.addEventListener("pointerdown", (event) => {
          event.preventDefault();
          take(at);
        });
        return option;
      }),
    );
    list.hidden = !found.length;
    choose(0);
  }

  function choose(at) {
    chosen = at;
    [...list.children].forEach((option, number) => option.setAttribute("aria-selected", String(number === at)));
    if (list.hidden) field.removeAttribute("aria-activedescendant");
    else field.setAttribute("aria-activedescendant", `sql-name-${at}`);
  }

  function hide() {
    list.hidden = true;
    choose(0);
  }

  function take(at) {
    const name = list.children[at].textContent;
    const caret = field.selectionStart;
    const closed = ending && field.value.startsWith(ending[0], caret) ? "" : ending;
    field.setRangeText(name + closed, caret - word.length, caret, "end");
    hide();
    field.focus();
  }

  field.addEventListener("input", show);
  field.addEventListener("blur", hide);
  field.addEventListener("click", hide);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) return field.form.requestSubmit();
    if (list.hidden || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const act = {
      Tab: () => take(chosen),
      ArrowDown: () => choose((chosen + 1) % list.children.length),
      ArrowUp: () => choose((chosen + list.children.length - 1) % list.children.length),
      Escape: hide,
    }[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });
})();
