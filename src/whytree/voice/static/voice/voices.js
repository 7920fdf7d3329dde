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

  document.addEventListener("htmx:afterRequest", (event) => {
    const link = event.detail.elt;
    if (!link.matches?.(".voice-list .item") || !event.detail.successful) return;
    first = last = -1;
    mark(link);
    const inbox = link.closest(".inbox");
    inbox.classList.add("chosen");
    if (getComputedStyle(link.closest(".voice-list")).display === "none") scrollTo(0, 0);
  });
})();
