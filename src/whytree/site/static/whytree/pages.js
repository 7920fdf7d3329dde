/* What every page can do: the box Why …, keys, copy buttons, questions before what cannot be taken back, errors.
   Pages work without this file. To use it, a template only needs attributes:

     data-key="a" data-keyhelp="Add"   pressing a clicks the element (or focuses it, when one can type in it; or, when
                                       it opens something, the first field there);
                                       `?` lists all keys that work on the page
     data-go="t"                       pressing g, then t follows the link
     data-copy="#id"                   a button that copies that element's text
     data-confirm="Revoke …?"          a form or button that asks first
     data-submit-on-change             a select or checkbox that sends its form
*/
(() => {
  "use strict";

  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const visible = (element) => element.getClientRects().length > 0;
  const typing = (element) => element?.matches?.("input:not([type=checkbox],[type=radio]), textarea, select, [contenteditable]");

  /* The box Why … */

  const box = one("#box");
  const palette = document.createElement("dialog");
  palette.className = "palette";
  palette.setAttribute("aria-label", "Why …");

  function openBox() {
    if (!box || palette.open) return;
    palette.append(box);
    palette.showModal();
    const input = one("input", box);
    input.focus();
    input.select();
  }

  function boxClosed() {
    one("#box-home").append(box);
    box.reset();
    one("#box-hits").replaceChildren();
  }

  function moveInHits(event) {
    const links = all("#box-hits a[href]");
    if (!links.length) return;
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    const next = links.indexOf(document.activeElement) + step;
    (next < 0 ? one("input", box) : links[Math.min(next, links.length - 1)]).focus();
  }

  if (box) {
    document.body.append(palette);
    palette.addEventListener("close", boxClosed);
    palette.addEventListener("click", (event) => event.target === palette && palette.close());
    box.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") moveInHits(event);
      if (event.key === "Escape" && !palette.open) one("#box-hits").replaceChildren();
    });
    one("#box-home").addEventListener("pointerdown", (event) => {
      if (palette.open || event.target.closest("a")) return;
      event.preventDefault();
      openBox();
    });
    for (const button of all("[data-open-box]")) {
      button.addEventListener("click", (event) => {
        event.preventDefault();
        openBox();
      });
    }
  }

  /* Tabs that do not fit: the one in use is in sight. */

  for (const tab of all(".tabs [aria-current]")) tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft - 40;

  /* Keys */

  const keysDialog = one("#keys-dialog");
  const everywhere = [["Ctrl K", "Why …: search and explain"], ["?", "This list"]];

  function showKeys() {
    const rows = [...everywhere];
    for (const place of all("[data-go]")) rows.push([`g ${place.dataset.go}`, `Go to ${place.textContent.trim()}`]);
    for (const element of all("[data-key][data-keyhelp]")) {
      if (visible(element)) rows.push([element.dataset.key, element.dataset.keyhelp]);
    }
    one("dl", keysDialog).replaceChildren(...rows.flatMap(([keys, help]) => {
      const term = document.createElement("dt");
      const meaning = document.createElement("dd");
      for (const key of keys.split(" ")) {
        const cap = document.createElement("kbd");
        cap.textContent = key;
        term.append(cap, " ");
      }
      meaning.textContent = help;
      return [term, meaning];
    }));
    keysDialog.showModal();
  }

  let going = 0; // when "g" was pressed: the next key within a second names the place

  function press(event) {
    const open = one("dialog[open]");
    const place = !open && Date.now() - going < 1000 && one(`[data-go="${CSS.escape(event.key)}"]`);
    const target = all(`[data-key="${CSS.escape(event.key)}"]`, open || document).find(visible);
    going = 0;
    if (place) place.click();
    else if (event.key === "?" && !open) showKeys();
    else if (event.key === "g" && !open && one("[data-go]")) going = Date.now();
    else if (typing(target)) target.focus();
    else if (target) {
      target.click();
      const opened = target.matches("summary") && target.closest("details[open]");
      if (opened) one("input:not([type=hidden]), select, textarea", opened)?.focus();
    } else return;
    event.preventDefault(); // a page's own script need not look at this key again
  }

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      openBox();
      return;
    }
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    press(event);
  });

  /* Buttons and forms */

  async function copy(button) {
    const source = one(button.dataset.copy);
    const text = source.value ?? source.textContent.trim();
    try {
      await navigator.clipboard.writeText(text);
      toast("Copied.");
    } catch {
      // Without https browsers refuse: mark the text, so that the person's own copy key works.
      getSelection().selectAllChildren(source);
      toast("Press Ctrl C to copy the marked text.");
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (button) copy(button);
    const asking = event.target.closest?.("button[data-confirm], a[data-confirm]");
    if (asking && !confirm(asking.dataset.confirm)) event.preventDefault();
  });
  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !confirm(question)) event.preventDefault();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-submit-on-change]")) event.target.form.requestSubmit();
  });

  /* What went wrong, or right, in a part of the page */

  // A dialog stands above all else on the page, so what concerns it is told inside it.
  function shelf() {
    const dialog = one("dialog[open]");
    if (!dialog) return one("#toasts");
    const inside = one(".toasts", dialog) ?? dialog.appendChild(one("#toasts").cloneNode());
    inside.removeAttribute("id");
    return inside;
  }

  function toast(text, tone = "") {
    const note = document.createElement("p");
    note.className = `toast ${tone}`;
    note.textContent = text;
    shelf().append(note);
    setTimeout(() => note.remove(), tone === "red" ? 12000 : 4000);
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    if (xhr.status < 400) return;
    const message = one("[data-error-toast]", new DOMParser().parseFromString(xhr.responseText, "text/html"));
    if (message) toast(message.textContent, "red");
    // A form that was refused comes back with its errors beside the fields.
    event.detail.shouldSwap = !message && xhr.status === 400;
    event.detail.isError = !event.detail.shouldSwap;
  });
  document.addEventListener("htmx:afterSwap", (event) => event.detail.xhr.status === 400 && showWrong());

  // What was refused may stand far below: it is brought into view, and the field is ready to be put right.
  function showWrong() {
    const wrong = all("main .errors, main [aria-invalid=true], dialog[open] [aria-invalid=true]").find(visible);
    if (!wrong) return;
    if (wrong.getBoundingClientRect().bottom > innerHeight || wrong.getBoundingClientRect().top < 0) wrong.scrollIntoView({ block: "center" });
    if (typing(wrong)) wrong.focus({ preventScroll: true });
  }
  showWrong();

  document.addEventListener("htmx:sendError", () => toast("The server does not answer. Check that it runs, then try again.", "red"));
})();
