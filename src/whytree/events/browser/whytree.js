/* whytree.js: page views, clicks you name, and where forms hurt. No dependency, no cookie, never a field's value.
 *
 *   <script>window.whytree = window.whytree || ((...call) => (whytree.q = whytree.q || []).push(call))</script>
 *   <script async src="https://your.host/whytree.js" data-key="YOUR_CAPTURE_KEY"></script>
 *
 *   whytree("track", "Signed Up", {plan: "pro"})     whytree("identify", "ana", {email: "ana@example.org"})
 *   whytree("page", "Pricing")                       whytree("consent", true)     whytree("reset")
 *   whytree("feedback", {kind: "idea"})              opens a box for their own words
 */
(() => {
  const script = document.currentScript || document.querySelector("script[data-key][src*='whytree.js']");
  const said = (script && script.dataset) || {};
  if (!said.key || window.whytree?.on) return;
  const host = (said.host || new URL(script.src).origin).replace(/\/$/, "");
  const VERSION = "1", BATCH = 50, BEACON = 60000, WAIT = 1500, MOST = 1000, SLOWEST = 60000;
  const now = () => Date.now();
  const agent = navigator.userAgent; // asked while the page goes away, some browsers answer another
  const off = (name) => said[name] === "off";

  /* ---- what is remembered: nothing before consent, where consent is asked for ---- */
  const local = (name, value) => {
    try {
      if (value === undefined) return localStorage.getItem("whytree." + name) || "";
      if (value === "") localStorage.removeItem("whytree." + name);
      else localStorage.setItem("whytree." + name, value);
    } catch { /* private windows refuse: what is kept lasts as long as the page */ }
    return value || "";
  };
  const id = () => crypto.randomUUID ? crypto.randomUUID() :
    "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (c) => (c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16));
  const asked = navigator.doNotTrack === "1" || window.doNotTrack === "1" || navigator.globalPrivacyControl === true;
  let consent = local("consent"); // "yes", "no" or not said
  const mayNot = () => consent === "no" || (consent !== "yes" && asked && said.dnt !== "ignore");
  const mayNow = () => !mayNot() && (consent === "yes" || said.consent !== "required");
  let anonymous = "", user = "";
  const who = () => {
    anonymous = anonymous || local("id") || local("id", id());
    user = user || local("user");
  };

  /* ---- the queue ---- */
  let queue = [], sending = false, failures = 0, timer = 0;
  const later = (ms) => { clearTimeout(timer); timer = setTimeout(flush, ms); };
  const put = (type, fields, page) => {
    if (mayNot()) return;
    if (type !== "identify") inside.heard(fields.event || "$pageview", fields.properties);
    queue.push({ type, messageId: id(), timestamp: new Date().toISOString(), ...fields, context: { page: page || here } });
    if (queue.length > MOST) queue.shift();
    if (!timer || queue.length >= BATCH) later(failures ? WAIT : queue.length >= BATCH ? 0 : WAIT);
  };

  /* ---- surveys and the feedback box: another file, fetched only where a page wants one ---- */
  const context = () => ({ userAgent: agent, locale: navigator.language, ...(said.version && { app: { version: said.version } }) });
  const inside = {
    host, key: said.key, surveys: said.surveys === "on", button: said.feedback, past: [], wanted: [], local, id,
    may: () => mayNow(),
    who: () => (mayNow() ? (who(), { anonymousId: anonymous, userId: user }) : {}),
    context: () => ({ ...context(), page: { path: address(), url: location.origin + address() } }),
    flush: () => flush(),
    load: (name) => new Promise((resolve, reject) => {
      const file = document.createElement("script");
      if (script?.nonce) file.nonce = script.nonce;
      Object.assign(file, { src: `${host}/whytree-${name}.js`, onload: resolve, onerror: reject });
      document.head.append(file);
    }),
    heard: (...one) => { if (inside.surveys && inside.past.length < 50) inside.past.push(one); },
    feedback: (...one) => { inside.wanted.push(one); asks(); },
  };
  const asks = () => { if (!asks.begun) asks.begun = inside.load("asks").catch(() => {}); };

  const campaign = {};
  new URLSearchParams(location.search).forEach((value, name) => {
    if (/^utm_./.test(name)) campaign[name === "utm_campaign" ? "name" : name.slice(4)] = value.slice(0, 200);
  });
  const body = (batch) => {
    who();
    return JSON.stringify({
      writeKey: said.key,
      sentAt: new Date().toISOString(),
      context: { ...context(), campaign, library: { name: "whytree.js", version: VERSION } },
      batch: batch.map((one) => ({ anonymousId: anonymous, ...(user && { userId: user }), ...one })),
    });
  };
  const flush = async () => {
    timer = 0;
    if (sending || !queue.length || !mayNow()) return;
    sending = true;
    const batch = queue.slice(0, BATCH);
    let wait = 0;
    try {
      const text = body(batch);
      // text/plain spares the browser a question before each request; what is kept alive may have 64 KB
      const answer = await fetch(host + "/v1/b", { method: "POST", body: text, keepalive: text.length < BEACON, credentials: "omit", headers: { "Content-Type": "text/plain" } });
      if (answer.status === 429 || answer.status >= 500) wait = 1000 * answer.headers.get("Retry-After") || -1;
    } catch { wait = -1; }
    sending = false;
    if (wait) {
      failures++;
      later(wait > 0 ? wait : Math.min(SLOWEST, 1000 * 2 ** failures) * (0.5 + Math.random() / 2));
    } else {
      failures = 0;
      queue = queue.filter((one) => !batch.includes(one));
      if (queue.length) later(0);
    }
  };
  const leaveBehind = () => {
    if (!mayNow()) return;
    const unsent = queue;
    queue = [];
    let kept = [];
    for (let piece = [], size = 0, at = 0; at <= unsent.length; at++) {
      const length = at < unsent.length ? JSON.stringify(unsent[at]).length + 100 : BEACON;
      if (piece.length && size + length > BEACON) {
        if (!navigator.sendBeacon?.(host + "/v1/b", body(piece)) || failures) kept = kept.concat(piece);
        piece = [];
        size = 0;
      }
      piece.push(unsent[at]);
      size += length;
    }
    if (kept.length) local("unsent", JSON.stringify(kept.slice(-200))); // sent twice counts once: each has its own id
  };

  /* ---- pages ---- */
  let here, since = 0, seen = 0, deepest = 0;
  const address = () => location.pathname + (/^#[!/]/.test(location.hash) ? location.hash.split("?")[0] : "");
  const page = (name, properties) => {
    const referrer = here ? location.origin + here.path : document.referrer.split(/[?#]/)[0];
    here = { path: address(), referrer, title: document.title };
    seen = deepest = 0;
    since = document.hidden ? 0 : now();
    put("page", { name: typeof name === "string" ? name : document.title, properties: { url: location.origin + here.path, ...properties } });
  };
  const rest = () => { if (since) seen += now() - since; since = 0; };
  const leave = () => {
    if (!here) return;
    rest();
    endForms();
    if (!off("pages")) put("track", { event: "$pageleave", properties: { seconds: seen / 1000, scrolled: Math.round(deepest * 100) } });
  };
  const moved = () => { if (here && here.path !== address()) { leave(); page(); scan(); } };
  const listen = (target, name, heard, options) => target.addEventListener(name, heard, { passive: true, capture: true, ...options });
  const pages = () => {
    for (const name of ["pushState", "replaceState"]) {
      const was = history[name];
      history[name] = function () { const result = was.apply(this, arguments); setTimeout(moved); return result; };
    }
    listen(window, "popstate", () => setTimeout(moved));
    listen(window, "hashchange", () => setTimeout(moved));
    listen(window, "scroll", () => {
      const root = document.documentElement;
      deepest = Math.max(deepest, Math.min(1, (scrollY + innerHeight) / root.scrollHeight));
    });
  };

  /* ---- forms: who met which field, how long it kept them, and where they left ---- */
  const forms = new Map();
  const FIELD = "input,select,textarea,[data-whytree-field]";
  const NOT = /^(hidden|submit|button|reset|image)$/;
  const attribute = (element, ...names) => names.map((name) => element.getAttribute(name)).find(Boolean) || "";
  const hidden = (element) => element.closest("[data-whytree='off']");
  const formOf = (element) => element?.form || element?.closest?.("form,[data-whytree-form]");
  const nameOf = (form) => attribute(form, "data-whytree-form", "id", "name", "aria-label").slice(0, 200) ||
    attribute(form, "action").split(/[?#]/)[0].slice(0, 200) || "form on " + address();
  const fieldName = (field) => NOT.test(field.type) || hidden(field) ? "" : attribute(field, "data-whytree-field", "name", "id").slice(0, 100);
  const visible = (element) => element.getClientRects().length > 0;
  const of = (form) => {
    let facts = forms.get(form);
    if (!facts) forms.set(form, (facts = { name: nameOf(form), page: here, fields: new Map(), began: 0, last: "", at: 0, sent: false }));
    return facts;
  };
  const meet = (facts, name) => {
    let field = facts.fields.get(name);
    if (!field) facts.fields.set(name, (field = { position: facts.fields.size + 1, ms: 0, focused: 0, changed: 0, corrected: 0, errors: 0 }));
    return field;
  };
  const scan = () => {
    for (const form of document.querySelectorAll("form,[data-whytree-form]")) {
      if (hidden(form) || !visible(form)) continue;
      const shown = [...form.querySelectorAll(FIELD)].filter((field) => fieldName(field) && visible(field));
      if (!shown.length) continue;
      const isNew = !forms.has(form), facts = of(form);
      shown.forEach((field) => meet(facts, fieldName(field)));
      if (isNew) put("track", { event: "$form_shown", properties: { form: facts.name, fields: facts.fields.size } });
    }
    for (const [form, facts] of forms) if (!form.isConnected) end(form, facts);
  };
  let current = null;
  const pause = () => { if (current?.at) { current.field.ms += now() - current.at; current.at = 0; } };
  const goOn = () => { if (current && !current.at) current.at = now(); };
  const touched = (event) => {
    const form = formOf(event.target), name = form && !hidden(form) && event.target.matches(FIELD) && fieldName(event.target);
    if (!name) return null;
    const facts = of(form);
    return { form, facts, name, field: meet(facts, name) };
  };
  const onFocus = (event) => {
    const hit = touched(event);
    pause();
    current = hit && { ...hit, at: now() };
    if (!hit) return;
    if (!hit.facts.began) {
      hit.facts.began = now();
      put("track", { event: "$form_started", properties: { form: hit.facts.name, first_field: hit.name } });
    }
    hit.field.focused++;
    hit.facts.last = hit.name;
    hit.facts.sent = false; // back in it: it was not the end
  };
  const onBlur = () => { pause(); current = null; };
  const onChange = (event) => {
    const hit = touched(event);
    if (!hit) return;
    if (hit.field.changed++) hit.field.corrected++;
    hit.facts.last = hit.name;
  };
  const onError = (event) => { const hit = touched(event); if (hit) hit.field.errors++; };
  const onSubmit = (event) => { const facts = forms.get(event.target); if (facts) { pause(); facts.sent = true; } };
  const end = (form, facts) => {
    if (current?.form === form) onBlur();
    forms.delete(form);
    for (const [name, field] of facts.fields) {
      const { ms, ...counts } = field;
      const left = !facts.sent && facts.last === name;
      put("track", { event: "$form_field", properties: { form: facts.name, field: name, ...counts, ...(field.focused && { seconds: Math.round(ms) / 1000 }), left } }, facts.page);
    }
    if (!facts.began) return;
    const properties = { form: facts.name, last_field: facts.last, form_seconds: Math.round(now() - facts.began) / 1000 };
    put("track", { event: facts.sent ? "$form_submitted" : "$form_left", properties }, facts.page);
  };
  const endForms = () => { for (const [form, facts] of forms) end(form, facts); };
  const watchForms = () => {
    listen(document, "focusin", onFocus);
    listen(document, "focusout", onBlur);
    listen(document, "change", onChange);
    listen(document, "invalid", onError);
    listen(document, "submit", onSubmit);
    let waiting = 0;
    new MutationObserver((changes) => {
      for (const change of changes)
        if (change.type === "attributes" && change.target.getAttribute("aria-invalid") === "true" && change.oldValue !== "true") onError(change);
      if (!waiting) waiting = setTimeout(() => { waiting = 0; scan(); }, 300);
    }).observe(document.documentElement, { subtree: true, childList: true, attributes: true, attributeOldValue: true, attributeFilter: ["aria-invalid", "hidden", "class", "style"] });
  };

  /* ---- what a page may call ---- */
  const calls = {
    track: (event, properties) => put("track", { event: String(event), properties: { ...properties } }),
    page: (name, properties) => page(name, properties),
    identify: (userId, traits) => {
      if (mayNot() || !userId) return;
      user = mayNow() ? local("user", String(userId)) : String(userId);
      put("identify", { userId: user, traits: { ...traits } });
    },
    consent: (yes) => {
      consent = local("consent", yes ? "yes" : "no");
      if (yes) {
        if (user) local("user", user);
        begin();
        if (inside.surveys) asks();
        later(0);
        return;
      }
      for (const name of ["id", "user", "unsent", "asked"]) local(name, "");
      anonymous = user = "";
      queue = [];
      forms.clear();
    },
    reset: () => { // somebody else sits here now
      if (mayNow()) who();
      queue = queue.map((one) => ({ anonymousId: anonymous, ...(user && { userId: user }), ...one }));
      anonymous = user = "";
      for (const name of ["id", "user"]) local(name, "");
    },
    feedback: (options) => inside.feedback(options),
    flush,
  };
  let begun = false;
  const begin = () => {
    if (begun || mayNot()) return;
    begun = true;
    if (inside.surveys && mayNow()) asks();
    try { queue = JSON.parse(local("unsent") || "[]").concat(queue); } catch { /* not ours */ }
    local("unsent", "");
    if (off("pages")) here = { path: address(), referrer: "", title: document.title };
    else { page(); pages(); }
    if (!off("forms")) { watchForms(); scan(); }
    listen(document, "visibilitychange", () => {
      if (document.hidden) { rest(); pause(); leaveBehind(); } else { since = now(); goOn(); }
    });
    listen(window, "pagehide", () => { leave(); leaveBehind(); });
    listen(window, "pageshow", (event) => { if (event.persisted && !off("pages")) { page(); scan(); } }); // back from the cache
  };
  const call = (name, ...rest) => { if (Object.hasOwn(calls, name)) calls[name](...rest); };
  const before = window.whytree?.q || [];
  window.whytree = call;
  call.on = VERSION;
  call.inside = inside;
  const start = () => { begin(); if (said.feedback) asks(); before.forEach((one) => call(...one)); };
  if (document.readyState === "loading") listen(document, "DOMContentLoaded", start, { once: true });
  else start();
})();
