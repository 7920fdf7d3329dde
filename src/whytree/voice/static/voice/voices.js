/* The inbox beyond what forms and links can do: reading a selection into the form, sentence by sentence with the
   keyboard too, and moving the mark in the list. Everything here can also be done without it. */
(() => {
  "use strict";

  const text = () => document.getElementById("said");
  const form = () => document.getElementById("voice-link");

  // The server counts characters, the browser UTF-16 units.
  const characters = (string) => [...string].length;

  /* What is selected goes into the form. */

  function selected() {
    const selection = getSelection();
    const said = text();
    if (!said || !selection.rangeCount || selection.isCollapsed) return null;
    const range = selection.getRangeAt(0);
    if (!said.contains(range.startContainer) || !said.contains(range.endContainer)) return null;
    const before = document.createRange();
    before.setStart(said, 0);
    before.setEnd(range.startContainer, range.startOffset);
    const start = characters(before.toString());
    const quote = range.toString();
    return { start, end: start + characters(quote), quote };
  }

  function readSelection() {
    const part = selected();
    if (!part || !form()) return;
    const { quote, start, end } = form().elements;
    quote.value = part.quote;
    start.value = part.start;
    end.value = part.end;
  }

  let waiting = 0;
  document.addEventListener("selectionchange", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(readSelection);
  });

  /* Sentence by sentence: w goes to the text, the arrows move, Shift with an arrow stretches. */

  function sentences(string) {
    if (Intl.Segmenter) {
      const found = [...new Intl.Segmenter(undefined, { granularity: "sentence" }).segment(string)];
      return found.map(({ index, segment }) => [index, index + segment.trimEnd().length]);
    }
    return [...string.matchAll(/[^.!?\n]+[.!?]*/g)].map((match) => [match.index, match.index + match[0].trimEnd().length]);
  }

  function pointAt(said, offset) {
    const walker = document.createTreeWalker(said, NodeFilter.SHOW_TEXT);
    let node = walker.nextNode();
    while (node && offset > node.length) {
      offset -= node.length;
      node = walker.nextNode();
    }
    return [node, offset];
  }

  let first = -1;
  let last = -1;

  function select(said, parts) {
    const range = document.createRange();
    range.setStart(...pointAt(said, parts[first][0]));
    range.setEnd(...pointAt(said, parts[last][1]));
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    const [at, frame] = [range.getBoundingClientRect(), said.getBoundingClientRect()];
    said.scrollTop += Math.max(0, at.bottom - frame.bottom) + Math.min(0, at.top - frame.top);
  }

  function step(said, forward, stretch) {
    const parts = sentences(said.textContent);
    if (!parts.length) return;
    const move = forward ? 1 : -1;
    if (first < 0 || getSelection().isCollapsed) {
      first = last = forward ? 0 : parts.length - 1;
    } else if (stretch) {
      last = Math.max(first, Math.min(parts.length - 1, last + move));
    } else {
      first = last = Math.max(0, Math.min(parts.length - 1, (forward ? last : first) + move));
    }
    select(said, parts);
  }

  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "said" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      event.preventDefault();
      step(event.target, event.key === "ArrowRight", event.shiftKey);
    }
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches?.("input, textarea, select");
    if (event.key !== "w" || typing || event.ctrlKey || event.metaKey || event.altKey || !text()) return;
    event.preventDefault();
    first = last = -1;
    text().focus();
    step(text(), true, false);
  });

  // A choice that a key opened is made in its list: without it, each arrow would already send the form.
  document.addEventListener("keydown", (event) => {
    const chosen = document.activeElement;
    if (!event.defaultPrevented || !chosen?.matches?.(".voice-sort select, .triage-bar select")) return;
    try {
      chosen.showPicker();
    } catch {
      // An old browser: the person opens it.
    }
  });

  // The opportunity that was linked last stands there already; typing replaces it.
  document.addEventListener("focusin", (event) => event.target.id === "voice-opportunity" && event.target.select());

  /* The list: the mark follows what is open, and j and k follow the mark. */

  function mark(link) {
    const links = [...document.querySelectorAll(".voice-list .item")];
    const at = links.indexOf(link);
    for (const box of document.querySelectorAll(".voice-list .entry > input")) {
      const here = box.parentElement.contains(link);
      if (here) Object.assign(box.dataset, { key: "x", keyhelp: "Choose this one too" });
      else delete box.dataset.key;
    }
    const openRef = document.querySelector("#triage > [name=open]");
    if (openRef) openRef.value = link.dataset.ref;
    links.forEach((other, place) => {
      other.toggleAttribute("aria-current", false);
      delete other.dataset.key;
      delete other.dataset.keyhelp;
      if (place === at) other.setAttribute("aria-current", "true");
      if (place === at + 1) Object.assign(other.dataset, { key: "j", keyhelp: "Next voice" });
      if (place === at - 1) Object.assign(other.dataset, { key: "k", keyhelp: "Voice before" });
    });
    link.scrollIntoView({ block: "nearest" });
  }

  /* What was asked for last is marked at once. A key that is pressed before it is there waits for it: it means what the mark
     is on, not what is still shown. */

  let pending = null;
  let held = "";

  const isOurs = (asking) => asking.matches?.(".voice-list .item, #triage, .voice-undo, .voice-link, .voice-sort, .voice-away");
  const isStep = (asking) => asking.matches(".item");
  const openLink = () => {
    const ref = document.querySelector("#open > section")?.getAttribute("aria-label");
    return document.querySelector(`.voice-list .item[data-ref="${CSS.escape(ref || "")}"]`);
  };

  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, xhr } = event.detail;
    if (!isOurs(elt)) return;
    pending = { elt, xhr };
    if (isStep(elt)) mark(elt);
  });

  document.addEventListener("keydown", (event) => {
    if (!pending || event.ctrlKey || event.metaKey || event.altKey || event.key.length > 1) return;
    if (event.target.matches?.("input:not([type=checkbox]), textarea")) return;
    if (isStep(pending.elt) && "jkx".includes(event.key)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    held ||= event.key;
  }, true);

  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, xhr, successful } = event.detail;
    if (pending?.xhr !== xhr) return;
    pending = null;
    const key = held;
    held = "";
    if (!successful) {
      if (isStep(elt) && openLink()) mark(openLink());
      return;
    }
    first = last = -1;
    if (isStep(elt)) {
      const inbox = elt.closest(".inbox");
      inbox.classList.add("chosen");
      if (getComputedStyle(elt.closest(".voice-list")).display === "none") scrollTo(0, 0);
    } else stay();
    if (key) document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  });

  const current = () => document.querySelector(".voice-list .item[aria-current]");
  const toCurrent = () => (current()?.getClientRects().length ? current() : document.getElementById("content")).focus({ preventScroll: true });

  // The page was drawn anew around whoever works in it: they go on at the voice that is open now, out of the field they filled in.
  function stay() {
    current()?.scrollIntoView({ block: "nearest" });
    if (document.activeElement.matches("body, input, select, textarea")) toCurrent();
  }

  // Escape leaves a field that a key opened.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.closest?.(".voice-sort, .voice-link, .triage-bar")) toCurrent();
  });
})();
