/* whytree-asks.js: surveys and the feedback box, fetched by whytree.js only where a page wants one. Nothing is drawn before that.
 *
 * What it draws stands in a shadow root with a style sheet of its own (adopted, so no content policy has to allow one), takes no
 * focus that nobody gave it, covers a corner at most, and goes with Escape. Text is set as text, never as HTML.
 */
(() => {
  const inside = window.whytree?.inside;
  if (!inside || inside.asks) return;
  inside.asks = true;

  const post = async (path, said) => {
    const answer = await fetch(inside.host + "/v1/" + path, {
      method: "POST",
      body: JSON.stringify({ key: inside.key, ...inside.who(), context: inside.context(), ...said }),
      keepalive: !said?.screenshot, // browsers take no more than 64 KiB so
      credentials: "omit",
      headers: { "Content-Type": "text/plain" },
    });
    return { ok: answer.ok, status: answer.status, ...(await answer.json().catch(() => ({}))) };
  };

  /* ---- the box ---- */
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
:host { all: initial; --paper: #fff; --ink: #1d2320; --soft: #55605a; --line: #8f8a7e; --accent: var(--whytree-accent, #1f7a4d); --on: var(--whytree-on-accent, #fff); --red: #b3362b }
@media (prefers-color-scheme: dark) { :host { --paper: #1b211e; --ink: #e8ece9; --soft: #a9b4ae; --line: #7d8781; --accent: var(--whytree-accent, #63c08f); --on: var(--whytree-on-accent, #0d1a13); --red: #f08a7f } }
* { box-sizing: border-box }
.box, .open { position: fixed; z-index: 2147483000; inset-block-end: max(16px, env(safe-area-inset-bottom)); inset-inline-end: 16px; font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); border: 1px solid var(--line) }
.box { width: min(360px, calc(100vw - 32px)); max-height: min(70vh, 560px); overflow: auto; padding: 16px; border-radius: 12px; box-shadow: 0 8px 32px rgb(0 0 0 / .2) }
.open { padding: 8px 14px; border-radius: 99px; cursor: pointer; font-weight: 600 }
h2, legend, .q { font: 600 16px/1.35 system-ui, sans-serif; margin: 0 0 8px; padding: 0 }
h2 { padding-inline-end: 32px } p { margin: 0 0 8px; color: var(--soft) }
fieldset { border: 0; margin: 0; padding: 0; min-width: 0 }
.points { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(24px, 1fr); gap: 3px }
.points label { position: relative } .points input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: pointer }
.points span { display: grid; place-items: center; min-height: 38px; border: 1px solid var(--line); border-radius: 7px }
.points :checked + span { background: var(--accent); border-color: var(--accent); color: var(--on) }
.line-of { font-size: 14px; margin: 10px 0 4px }
.ends { display: flex; justify-content: space-between; gap: 12px; font-size: 12.5px; margin: 4px 0 0 }
.choice { display: flex; gap: 8px; align-items: flex-start; padding: 4px 0 } .choice input { margin: 4px 0 0; accent-color: var(--accent) }
select { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 7px; padding: 2px 4px }
textarea, .line { display: block; width: 100%; margin: 0 0 10px; font: inherit; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 7px; padding: 7px 9px }
.kinds { display: flex; flex-wrap: wrap; gap: 0 14px; margin-bottom: 8px }
.more { font: inherit; margin: 0 0 10px; padding: 6px 12px; color: inherit; background: none; border: 1px solid var(--line); border-radius: 7px; cursor: pointer }
.go { font: 600 15px/1 system-ui, sans-serif; margin-top: 10px; padding: 10px 16px; border: 0; border-radius: 7px; background: var(--accent); color: var(--on); cursor: pointer }
.close { position: absolute; inset-block-start: 8px; inset-inline-end: 8px; width: 32px; height: 32px; font: 20px/1 system-ui; border: 0; border-radius: 7px; background: none; color: var(--soft); cursor: pointer }
.wrong { color: var(--red) } :focus-visible, .points :focus-visible + span { outline: 2px solid var(--accent); outline-offset: 2px }`);
  let root;
  const shadow = () => {
    if (root) return root;
    const host = document.createElement("whytree-asks");
    host.dataset.whytree = "off"; // what is typed here is no form of the page's
    root = host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    for (const name of ["keydown", "keyup", "keypress"]) root.addEventListener(name, (event) => event.stopPropagation()); // no key of the page's own
    document.body.append(host);
    return root;
  };
  const el = (tag, fields, ...children) => {
    const made = Object.assign(document.createElement(tag), fields);
    for (const [name, value] of Object.entries(fields?.aria || {})) made.setAttribute(name, value);
    made.append(...children.filter((one) => one || one === 0));
    return made;
  };
  let box, before;
  const close = () => { // focus goes back only when it was in here
    const was = box?.contains(root.activeElement);
    box?.remove();
    box = null;
    if (was) before?.focus?.();
  };
  const open = (title, closed, ...children) => {
    close();
    before = document.activeElement;
    const heading = el("h2", { id: "title", dir: "auto" }, title);
    const away = () => { close(); closed?.(); };
    const x = el("button", { className: "close", type: "button", onclick: away, aria: { "aria-label": "Close" } }, "×");
    box = el("section", { className: "box", aria: { role: "dialog", "aria-labelledby": "title" } }, x, heading, ...children);
    box.addEventListener("keydown", (event) => { if (event.key === "Escape") away(); });
    shadow().append(box);
  };
  const wrong = (words) => el("p", { className: "wrong", aria: { role: "alert" } }, words);
  const thank = (words) => {
    open("Thank you.", null, el("p", { dir: "auto", aria: { role: "status" } }, words || "It has arrived."));
    const mine = box;
    setTimeout(() => { if (box === mine) close(); }, 6000);
  };
  const TOO_BUSY = "It could not be sent. Your words are still here: try again.";

  /* ---- surveys ---- */
  let surveys = [], shown = false, waiting = 0;
  const seen = () => inside.local("asked").split(",");
  const next = (survey, answers, after) => { // as whytree.voice.surveys.questions.way
    const at = survey.questions.indexOf(after), given = [].concat(answers[after?.id] ?? []);
    const skip = after?.skip?.find((one) => one.when.some((each) => given.includes(each)));
    return skip ? survey.questions.find((one) => one.id === skip.to) : survey.questions[at + 1];
  };
  const controls = (question) => {
    const name = question.id, optional = question.required ? "" : " (optional)";
    if (question.kind === "open") {
      const area = el("textarea", { name, rows: 4, maxLength: 4000, dir: "auto", aria: { "aria-labelledby": "q" } });
      return [el("p", { className: "q", id: "q", dir: "auto" }, question.text + optional), area];
    }
    const input = (value, type) => el("input", { type, name, value });
    const legend = el("legend", { dir: "auto" }, question.text + optional);
    if (question.points) {
      const points = (name) => el("div", { className: "points" }, ...question.points.map((value) => el("label", null, el("input", { type: "radio", name, value }), el("span", null, String(value)))));
      const ends = el("p", { className: "ends" }, ...question.ends.map((words) => el("span", null, words)));
      const lines = (question.options || []).map((one, at) => el("fieldset", null, el("legend", { className: "line-of", dir: "auto" }, one), points(`${name}.${at}`)));
      return [el("fieldset", null, legend, ...(lines.length ? [ends, ...lines] : [points(name), ends]))];
    }
    if (question.kind === "ranking") {
      const places = question.options.map((_, at) => el("option", { value: String(at + 1) }, String(at + 1)));
      const select = () => el("select", { name }, el("option", { value: "" }, "–"), ...places.map((one) => one.cloneNode(true)));
      return [el("fieldset", null, legend, ...question.options.map((one) => el("label", { className: "choice", dir: "auto" }, select(), one)))];
    }
    const type = question.kind === "multi" ? "checkbox" : "radio";
    return [el("fieldset", null, legend, ...question.options.map((one) => el("label", { className: "choice", dir: "auto" }, input(one, type), one)))];
  };
  const value = (question, form) => {
    const given = new FormData(form).getAll(question.id).filter((one) => one.trim());
    if (question.kind === "matrix") { // a line that was left out has no point; where an answer is needed, each line needs one
      const points = question.options.map((line, at) => [line, Number(new FormData(form).get(`${question.id}.${at}`))]).filter((one) => one[1]);
      return points.length && (!question.required || points.length === question.options.length) ? Object.fromEntries(points) : undefined;
    }
    if (question.kind === "ranking") return given.length ? new FormData(form).getAll(question.id) : undefined; // the server puts them in order
    if (question.kind === "multi") return given.length ? given : undefined;
    return given.length && question.points ? Number(given[0]) : given[0];
  };
  const show = (survey, hidden) => {
    if (shown || box || seen().includes(survey.id)) return;
    shown = true;
    const answers = {};
    const put = (verb, said) => post(`surveys/${survey.id}/${verb}`, said);
    const away = () => { clearTimeout(timer); put("dismissed").catch(() => {}); };
    const step = (question, focus) => {
      const last = !next(survey, {}, question) && !question.skip;
      const form = el("form", { noValidate: true }, ...controls(question), el("button", { className: "go" }, last ? "Send" : "Go on"));
      form.addEventListener("submit", async (event) => {
        event.preventDefault();
        form.querySelector(".wrong")?.remove();
        const given = value(question, form);
        if (given === undefined && question.required) return form.prepend(wrong("This one needs an answer."));
        if (given === undefined) delete answers[question.id]; else answers[question.id] = given;
        const following = next(survey, answers, question);
        if (following) return step(following, true);
        const button = form.querySelector("button");
        button.disabled = true;
        const done = await put("answer", { answers, hidden }).catch(() => ({}));
        button.disabled = false;
        if (done.ok) thank(survey.thanks);
        else form.prepend(wrong(done.status === 409 || done.status === 400 ? done.message : TOO_BUSY));
      });
      open(survey.title, away, survey.intro && question === survey.questions[0] && el("p", { dir: "auto" }, survey.intro), form);
      if (focus) form.querySelector("input,textarea").focus();
    };
    step(survey.questions[0]);
    const timer = setTimeout(() => { // glimpsed is not seen
      inside.local("asked", seen().concat(survey.id).filter(Boolean).slice(-50).join());
      put("shown").catch(() => {});
    }, 1000);
  };
  const look = async (event, properties) => {
    if (!inside.may()) return;
    const found = await post("surveys", {}).catch(() => ({}));
    surveys = found.surveys || [];
    for (const survey of surveys) if (survey.ready && (survey.after || "") === (event || "")) show(survey, properties);
  };
  const EXPOSURES = ["$exposure", "Experiment Viewed", "$feature_flag_called", "$experiment_exposure"];
  const FLAGS = ["flag", "$feature_flag", "experiment_id", "experimentId", "experiment_name", "experimentName"]; // as the server reads them
  const heard = (event, properties = {}) => {
    const exposed = EXPOSURES.includes(event) && properties[FLAGS.find((name) => properties[name])];
    for (const survey of surveys) {
      const meant = survey.after ? survey.after === event : exposed && survey.flag === exposed;
      if (!meant) continue;
      if (survey.ready) show(survey, properties);
      else if (!waiting) { // who belongs, or met the variant, is known once this event has arrived
        inside.flush();
        waiting = setTimeout(() => { waiting = 0; look(survey.after, properties); }, 3000);
      }
    }
  };
  if (inside.surveys) look().then(() => { inside.past.forEach((one) => heard(...one)); inside.heard = heard; });

  /* ---- the feedback box ---- */
  const KINDS = { problem: "A problem", idea: "An idea", praise: "Praise", question: "A question" };
  const feedback = (said = {}) => {
    const id = inside.id();
    const kinds = Object.entries(KINDS).map(([kind, words]) =>
      el("label", { className: "choice" }, el("input", { type: "radio", name: "kind", value: kind, checked: kind === (said.kind || "problem") }), words));
    const area = el("textarea", { name: "text", rows: 5, maxLength: 10000, dir: "auto", value: said.text || "", aria: { "aria-label": "In your own words" } });
    const email = el("input", { className: "line", type: "email", name: "email", maxLength: 200, autocomplete: "email", placeholder: "E-mail, if you want an answer", value: said.email || "", aria: { "aria-label": "E-mail, if you want an answer" } });
    const quote = el("label", { className: "choice" }, el("input", { type: "checkbox", name: "quotable" }), "You may quote me in public");
    let picture;
    const slot = el("div"), add = el("button", { className: "more", type: "button" }, "Add a picture");
    add.addEventListener("click", async () => { // a third file, for those who want it
      add.disabled = true;
      await (inside.picture || inside.load("picture").catch(() => slot.replaceChildren(wrong("It could not be loaded. Try again."))));
      add.disabled = false;
      if (!inside.picture) return;
      slot.replaceChildren();
      add.remove();
      picture = inside.picture({ slot, el, wrong, root, box });
    });
    const form = el("form", { noValidate: true }, el("fieldset", null, el("legend", null, "What is it?"), el("div", { className: "kinds" }, ...kinds)), area, slot, add, email, quote, el("p", { className: "ends" }, "The team reads it, and which page you wrote it on."), el("button", { className: "go" }, "Send"));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      form.querySelector(".wrong")?.remove();
      if (!area.value.trim()) { form.prepend(wrong("Say what it is, in your own words.")); return area.focus(); }
      const fields = new FormData(form), button = form.querySelector("button");
      button.disabled = true;
      const done = await post("feedback", { id, text: area.value, kind: fields.get("kind"), email: email.value, quotable: fields.has("quotable"), ...(said.flags && { flags: said.flags }), ...(picture?.taken() && { screenshot: picture.taken() }) }).catch(() => ({}));
      button.disabled = false;
      if (done.ok) thank(done.screenshot ? "The team has your words. It takes no more pictures for now, so yours was left out." : "The team has your words.");
      else form.prepend(wrong(done.status && done.status < 500 && done.status !== 429 ? done.message : TOO_BUSY));
    });
    open("Tell us", null, form);
    area.focus();
  };
  inside.feedback = feedback;
  if (inside.button) shadow().append(el("button", { className: "open", type: "button", onclick: () => feedback() }, inside.button));
  inside.wanted.forEach((one) => feedback(...one));
})();
