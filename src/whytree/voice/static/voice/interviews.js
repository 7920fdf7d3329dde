/* A transcript beyond what forms and links can do: reading a selection into the form, walking through the lines with the keyboard, and
   playing the recording in place. Everything here can also be done without it: lines are chosen by number, times are links. */
(() => {
  "use strict";

  const form = document.getElementById("mark-form");
  const talk = document.getElementById("talk");
  const player = document.getElementById("player");
  if (!talk) return;

  // The server counts characters, the browser UTF-16 units.
  const characters = (string) => [...string].length;
  const lineOf = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest("[data-line]");

  /* What is selected goes into the form. */

  function place(node, offset) {
    const words = (node.nodeType === 1 ? node : node.parentElement)?.closest("p[data-start]");
    if (!words || !talk.contains(words)) return null;
    const before = document.createRange();
    before.setStart(words, 0);
    before.setEnd(node, offset);
    return Number(words.dataset.start) + characters(before.toString());
  }

  function fill(values) {
    for (const [name, value] of Object.entries(values)) form.elements[name].value = value;
  }

  function readSelection() {
    const selection = getSelection();
    if (!form || !selection.rangeCount || selection.isCollapsed) return;
    const range = selection.getRangeAt(0);
    const start = place(range.startContainer, range.startOffset);
    const end = place(range.endContainer, range.endOffset);
    if (start === null || end === null || end <= start) return;
    const first = lineOf(range.startContainer);
    const last = lineOf(range.endContainer);
    const said = [...talk.querySelectorAll("p[data-start]")].map((words) => words.textContent).join("\n");
    const quote = [...said].slice(start, end).join("").trim();
    fill({ start, end, quote, first: first.dataset.line, last: last.dataset.line });
  }

  let waiting = 0;
  document.addEventListener("selectionchange", () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(readSelection);
  });

  // What is typed by hand counts, not what was selected before.
  form?.addEventListener("input", (event) => {
    if (["first", "last"].includes(event.target.name)) fill({ start: "", end: "", quote: "" });
    if (event.target.name === "quote") fill({ start: "", end: "" });
  });

  /* Line by line. */

  const lines = [...talk.querySelectorAll("[data-line]")];
  let from = -1;
  let to = -1;

  function show() {
    const [low, high] = [Math.min(from, to), Math.max(from, to)];
    lines.forEach((line, index) => line.classList.toggle("at", index >= low && index <= high));
    lines[to].tabIndex = -1;
    lines[to].focus({ preventScroll: true });
    lines[to].scrollIntoView({ block: "nearest" });
    if (form) fill({ first: low + 1, last: high + 1, start: "", end: "", quote: "" });
  }

  function go(step, stretch) {
    const next = to < 0 ? 0 : Math.max(0, Math.min(lines.length - 1, to + step));
    to = next;
    if (!stretch || from < 0) from = next;
    show();
  }

  talk.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !event.target.matches("[data-line]")) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      go(event.key === "ArrowDown" ? 1 : -1, event.shiftKey);
    } else if (event.key === "Enter" && form) {
      event.preventDefault();
      form.elements.tags.focus();
    } else if (event.key === "p" && player) {
      event.preventDefault();
      play(Number(event.target.querySelector("[data-ms]")?.dataset.ms ?? 0));
    }
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches?.("input, textarea, select");
    if (event.key !== "w" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    go(0, false);
  });

  /* The recording, in place. */

  let until = 0;

  function play(from_ms, until_ms = 0) {
    until = until_ms / 1000;
    player.currentTime = from_ms / 1000;
    player.play().catch(() => {}); // the player itself says what it cannot play
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-ms]");
    if (!link || !player || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    play(Number(link.dataset.ms), Number(link.dataset.until || 0));
  });

  player?.addEventListener("timeupdate", () => {
    if (until && player.currentTime >= until) {
      player.pause();
      until = 0;
    }
  });
})();
