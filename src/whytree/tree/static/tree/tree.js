/* What the tree's pages can do beyond links and forms: walk and fold by keys, open forms in a sheet, pan and zoom.
   Everything here has a plain way too: every node is a link, every form a page. */
(() => {
  "use strict";

  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const visible = (element) => element.getClientRects().length > 0;
  const typing = (element) => element?.matches?.("input, textarea, select, [contenteditable]");
  const tree = one("[data-tree]");

  /* Sheets: a link with data-sheet opens its form over the page. */

  const sheet = one("dialog#sheet");

  function openSheet(url) {
    htmx.ajax("GET", url, { target: "#sheet", select: "#sheet-body", swap: "innerHTML" });
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-sheet]");
    if (!sheet || !link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    // Links inside a form that is a sheet are relative to that form's own address.
    openSheet(new URL(link.getAttribute("href"), sheet.contains(link) ? sheet.dataset.url : location.href).href);
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    if (sheet && event.detail.target === sheet && event.detail.requestConfig.verb === "get") {
      sheet.dataset.url = event.detail.xhr.responseURL || event.detail.pathInfo.requestPath;
    }
  });

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== sheet || !sheet || !sheet.firstElementChild) return;
    if (!sheet.open) sheet.showModal();
    one("[aria-invalid=true], textarea, input:not([type=hidden]), select", sheet)?.focus();
  });

  // Done: the server says where to go on. The same page has to be fetched again even if only the mark differs.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const to = event.detail.xhr.getResponseHeader("HX-Redirect");
    if (!sheet || !to) return;
    event.preventDefault();
    const next = new URL(to, location.href);
    if (next.pathname === location.pathname && next.search === location.search) {
      history.replaceState(null, "", next);
      location.reload();
    } else {
      location.assign(next);
    }
  });

  sheet?.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) {
      event.preventDefault();
      sheet.close();
    } else if (event.target === sheet) {
      sheet.close();
    }
  });

  if (!tree) return;

  /* Walking */

  const nodes = () => all("[data-node]", tree);
  const depth = (node) => Number(node.dataset.depth);
  const focusable = (node) => (node.matches("a") ? node : one("a.title", node));
  const current = () => document.activeElement?.closest?.("[data-node]") ?? null;

  function focus(node) {
    if (!node) return;
    focusable(node).focus();
    node.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function step(by) {
    const shown = nodes().filter(visible);
    const at = shown.indexOf(current());
    focus(at < 0 ? shown[0] : shown[Math.min(Math.max(at + by, 0), shown.length - 1)]);
  }

  function below(node) {
    const rows = nodes();
    const found = [];
    for (let at = rows.indexOf(node) + 1; at < rows.length && depth(rows[at]) > depth(node); at += 1) found.push(rows[at]);
    return found;
  }

  function above(node) {
    const rows = nodes();
    for (let at = rows.indexOf(node) - 1; at >= 0; at -= 1) if (depth(rows[at]) < depth(node)) return rows[at];
    return null;
  }

  /* Folding, in the outline; kept for this tab, so that coming back finds the tree as it was left. */

  const memory = `folded:${location.pathname}`;
  const folded = new Set(JSON.parse(sessionStorage.getItem(memory) || "[]"));

  function applyFolds() {
    let hideDeeperThan = Infinity;
    for (const node of nodes()) {
      if (depth(node) <= hideDeeperThan) hideDeeperThan = Infinity;
      node.hidden = depth(node) > hideDeeperThan;
      const isFolded = folded.has(node.id);
      if (isFolded && hideDeeperThan === Infinity) hideDeeperThan = depth(node);
      one(".fold", node)?.setAttribute("aria-expanded", String(!isFolded));
    }
    sessionStorage.setItem(memory, JSON.stringify([...folded]));
  }

  function fold(node, wanted) {
    if (wanted) folded.add(node.id);
    else folded.delete(node.id);
    applyFolds();
  }

  if (tree.dataset.tree === "outline") {
    const rows = nodes();
    rows.forEach((node, at) => {
      if (!rows[at + 1] || depth(rows[at + 1]) <= depth(node)) return;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "fold";
      button.tabIndex = -1;
      button.setAttribute("aria-label", `Fold ${node.id}`);
      button.addEventListener("click", () => fold(node, !folded.has(node.id)));
      node.prepend(button);
    });
    if (location.hash) {
      for (let node = document.getElementById(location.hash.slice(1)); node; node = above(node)) folded.delete(above(node)?.id);
    }
    applyFolds();
  }

  function outward() {
    const node = current();
    if (!node) return;
    if (tree.dataset.tree === "outline" && below(node).length && !folded.has(node.id)) fold(node, true);
    else focus(above(node));
  }

  function inward() {
    const node = current();
    if (!node) return step(1);
    if (folded.has(node.id)) return fold(node, false);
    return focus(below(node)[0]);
  }

  /* Acting on the node that has the focus */

  function act(verb) {
    const node = current();
    if (!node || !one(`[data-key="${verb.key}"]`)) return false;
    openSheet(`${node.dataset.url}/${verb.path}?from=${tree.dataset.tree}`);
    return true;
  }

  const acts = {
    a: () => act({ key: "a", path: "add" }),
    e: () => act({ key: "e", path: "edit" }),
    m: () => act({ key: "m", path: "move" }),
    x: () => act({ key: "x", path: "close" }),
  };
  const walks = { j: () => step(1), k: () => step(-1), h: outward, l: inward };
  const arrows = { ArrowDown: walks.j, ArrowUp: walks.k, ArrowLeft: walks.h, ArrowRight: walks.l };

  let wentTo = 0; // after "g" the next key names a place in the bar, also where it is one of ours

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || one("dialog[open]")) return;
    if (event.key === "g") wentTo = Date.now();
    if (event.key !== "g" && Date.now() - wentTo < 1000) {
      wentTo = 0;
      return;
    }
    const walk = walks[event.key] ?? (current() ? arrows[event.key] : undefined);
    if (walk) {
      event.preventDefault();
      walk();
    } else if (acts[event.key]?.()) {
      event.preventDefault();
    }
  }, true);

  // After the browser has gone to the mark itself: that takes the focus away from what cannot hold it.
  window.addEventListener("load", () => setTimeout(() => {
    focus(location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null);
  }));

  /* Panning and zooming the drawing */

  const canvas = one("#canvas");
  if (!canvas) return;
  let zoom = Number(sessionStorage.getItem("tree-zoom")) || 1;

  function setZoom(wanted) {
    zoom = Math.min(2, Math.max(0.25, wanted));
    tree.style.zoom = zoom;
    sessionStorage.setItem("tree-zoom", String(zoom));
  }

  function fit() {
    setZoom(1);
    const width = canvas.clientWidth / tree.scrollWidth;
    const height = canvas.clientHeight / tree.scrollHeight;
    setZoom(Math.min(1, width, Math.max(height, 0.4)));
    canvas.scrollTo(0, 0);
  }

  for (const button of all("[data-zoom]")) {
    button.addEventListener("click", () => {
      if (button.dataset.zoom === "fit") fit();
      else setZoom(zoom * (button.dataset.zoom === "in" ? 1.2 : 1 / 1.2));
    });
  }

  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    setZoom(zoom * (event.deltaY < 0 ? 1.1 : 1 / 1.1));
  }, { passive: false });

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target.closest("a, button")) return;
    const from = { x: event.clientX + canvas.scrollLeft, y: event.clientY + canvas.scrollTop };
    const drag = (moved) => canvas.scrollTo(from.x - moved.clientX, from.y - moved.clientY);
    const end = () => {
      canvas.classList.remove("panning");
      canvas.removeEventListener("pointermove", drag);
    };
    canvas.classList.add("panning");
    canvas.setPointerCapture(event.pointerId);
    canvas.addEventListener("pointermove", drag);
    canvas.addEventListener("pointerup", end, { once: true });
    canvas.addEventListener("pointercancel", end, { once: true });
  });

  setZoom(zoom);
})();
