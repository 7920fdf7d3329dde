/* whytree-picture.js: a picture for the feedback box, fetched by whytree-asks.js once somebody wants to send one.
 *
 * It is of the screen (the browser asks which part), a file, or pasted. It is drawn on a canvas, cut and blacked out there, and written
 * anew as a JPEG: what was cut or blacked out, and whatever the file told beside its picture, never leaves this page.
 */
(() => {
  const inside = window.whytree?.inside;
  if (!inside || inside.picture) return;
  const MOST_BYTES = 1_000_000, MOST_SIDE = 2400, LARGEST_FILE = 50_000_000, STEPS = 8;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
.box.wide { width: min(820px, calc(100vw - 32px)); max-height: 92vh }
.shot { position: relative; margin: 0 0 8px; touch-action: none; line-height: 0 }
.shot canvas { max-width: 100%; max-height: 56vh; border: 1px solid var(--line); cursor: crosshair }
.bar { display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: center; margin: 0 0 8px } .bar .more { margin: 0 } .more:disabled { opacity: .5 } .bar label { display: flex; gap: 5px } .bar [type=radio] { accent-color: var(--accent) }
.pick { position: relative; overflow: hidden } .pick input { position: absolute; inset: 0; opacity: 0; cursor: pointer } .pick:focus-within { outline: 2px solid var(--accent); outline-offset: 2px }
.hint { font-size: 13px }`);

  const canvasOf = (width, height, draw) => {
    const made = document.createElement("canvas");
    made.width = Math.max(1, Math.round(width));
    made.height = Math.max(1, Math.round(height));
    const pen = made.getContext("2d");
    pen.fillStyle = "#fff"; // a JPEG has no transparency
    pen.fillRect(0, 0, made.width, made.height);
    draw(pen, made);
    return made;
  };
  const fitted = (source, width, height, side) => {
    const by = Math.min(1, side / Math.max(width, height));
    return canvasOf(width * by, height * by, (pen, made) => pen.drawImage(source, 0, 0, made.width, made.height));
  };
  const ofFile = async (file) => {
    if (file.size > LARGEST_FILE) throw new Error("large");
    const bitmap = await createImageBitmap(file);
    return fitted(bitmap, bitmap.width, bitmap.height, MOST_SIDE);
  };
  const ofScreen = async (host) => {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: true, audio: false, preferCurrentTab: true });
    const video = document.createElement("video");
    const was = host.style.display;
    try {
      host.style.display = "none"; // the box is not what they want to show
      video.muted = true;
      video.srcObject = stream;
      await video.play();
      await new Promise((done) => setTimeout(done, 300)); // until it is drawn without the box
      return fitted(video, video.videoWidth, video.videoHeight, MOST_SIDE);
    } finally {
      stream.getTracks().forEach((track) => track.stop());
      host.style.display = was;
    }
  };
  const written = (canvas) => { // ever smaller, until it is small enough
    let side = Math.max(canvas.width, canvas.height);
    do {
      const shown = fitted(canvas, canvas.width, canvas.height, side);
      for (const quality of [0.9, 0.75, 0.6]) {
        const url = shown.toDataURL("image/jpeg", quality);
        if ((url.length * 3) / 4 < MOST_BYTES) return url;
      }
    } while ((side *= 0.75) > 100);
  };

  inside.picture = ({ slot, el, wrong, root, box }) => {
    if (!root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
    let steps = [], frame, url; // the pictures, one for each thing that was done to it; the last is what is sent
    const now = () => steps[steps.length - 1];
    const say = (words) => slot.append(wrong(words));
    const button = (words, onclick) => el("button", { className: "more", type: "button", onclick }, words);
    const take = async (from, words) => {
      slot.querySelector(".wrong")?.remove();
      try {
        steps = [await from()];
        url = undefined;
        edit();
      } catch (error) {
        if (error.name !== "NotAllowedError") say(words); // they thought better of it
      }
    };
    const NO_PICTURE = "This is no picture that can be read here. Take a PNG or a JPEG.";
    const choose = () => {
      box.classList.remove("wide");
      steps = [];
      url = undefined;
      const file = el("input", { type: "file", accept: "image/*", onchange: () => file.files[0] && take(() => ofFile(file.files[0]), NO_PICTURE) });
      const screen = navigator.mediaDevices?.getDisplayMedia && button("Of the screen", () => take(() => ofScreen(root.host), "The screen could not be taken. Choose a file."));
      slot.replaceChildren(el("div", { className: "bar" }, screen, el("label", { className: "more pick" }, file, "A file")), el("p", { className: "hint" }, "Or paste one. You can cut it and black things out before it is sent."));
      (screen || file).focus();
    };
    const edit = () => {
      box.classList.add("wide");
      const view = el("canvas", { tabIndex: 0, aria: { role: "application", "aria-label": "The picture. Arrow keys move the frame, with Shift they size it, Enter does what is chosen above.", "aria-describedby": "how" } });
      const mode = (value, words, checked) => el("label", null, el("input", { type: "radio", name: "act", value, checked }), words);
      const acts = el("div", { className: "bar", aria: { role: "group", "aria-label": "What the frame does" } }, mode("black", "Black out", true), mode("cut", "Cut out"));
      const undo = button("Undo", () => { if (steps.length > 1) steps.pop(); fresh(); });
      const away = button("Without a picture", choose);
      acts.append(undo, away);
      const draw = () => {
        view.width = now().width;
        view.height = now().height;
        const pen = view.getContext("2d");
        pen.drawImage(now(), 0, 0);
        if (!frame) return;
        pen.lineWidth = Math.max(2, now().width / 300);
        for (const [color, dash] of [["#fff", []], ["#000", [pen.lineWidth * 3, pen.lineWidth * 3]]]) {
          pen.strokeStyle = color;
          pen.setLineDash(dash);
          pen.strokeRect(frame.x, frame.y, frame.w, frame.h);
        }
      };
      const fresh = () => { frame = url = undefined; undo.disabled = steps.length < 2; draw(); };
      const act = () => {
        const { x, y, w, h } = whole(frame);
        if (w < 4 || h < 4) return fresh();
        const cut = acts.querySelector(":checked").value === "cut";
        steps.push(cut ? canvasOf(w, h, (pen) => pen.drawImage(now(), -x, -y)) : canvasOf(now().width, now().height, (pen) => {
          pen.drawImage(now(), 0, 0);
          pen.fillStyle = "#000";
          pen.fillRect(x, y, w, h);
        }));
        if (steps.length > STEPS) steps.splice(1, 1);
        fresh();
      };
      const whole = ({ x, y, w, h }) => { // inside the picture, whichever way it was drawn
        const left = Math.max(0, Math.min(x, x + w)), top = Math.max(0, Math.min(y, y + h));
        return { x: left, y: top, w: Math.min(now().width, Math.max(x, x + w)) - left, h: Math.min(now().height, Math.max(y, y + h)) - top };
      };
      const at = (event) => {
        const seen = view.getBoundingClientRect();
        return { x: ((event.clientX - seen.left) * view.width) / seen.width, y: ((event.clientY - seen.top) * view.height) / seen.height };
      };
      let drawing = false;
      view.addEventListener("pointerdown", (event) => {
        drawing = true;
        view.setPointerCapture(event.pointerId);
        frame = { ...at(event), w: 0, h: 0 };
      });
      view.addEventListener("pointermove", (event) => {
        if (!drawing) return;
        const to = at(event);
        frame = { ...frame, w: to.x - frame.x, h: to.y - frame.y };
        draw();
      });
      view.addEventListener("pointerup", () => { if (drawing) { drawing = false; act(); } });
      view.addEventListener("pointercancel", () => { drawing = false; fresh(); });
      view.addEventListener("keydown", (event) => {
        const step = Math.max(4, now().width / 50);
        const [dx, dy] = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key] || [];
        if (event.key === "Enter" && frame) { event.preventDefault(); return act(); }
        if (dx === undefined) return;
        event.preventDefault();
        frame ||= { x: now().width * 0.3, y: now().height * 0.3, w: now().width * 0.4, h: now().height * 0.4 };
        frame = whole(event.shiftKey ? { ...frame, w: Math.max(4, frame.w + dx), h: Math.max(4, frame.h + dy) } : {
          ...frame,
          x: Math.max(0, Math.min(frame.x + dx, now().width - frame.w)),
          y: Math.max(0, Math.min(frame.y + dy, now().height - frame.h)),
        });
        draw();
      });
      slot.replaceChildren(acts, el("div", { className: "shot" }, view), el("p", { className: "hint", id: "how" }, "Drag over what is to be blacked out, or choose Cut out and drag over what is to stay. What you see is what is sent."));
      fresh();
      view.focus();
    };
    box.addEventListener("paste", (event) => {
      const file = [...(event.clipboardData?.files || [])].find((one) => one.type.startsWith("image/"));
      if (!file) return;
      event.preventDefault();
      take(() => ofFile(file), NO_PICTURE);
    });
    choose();
    return { taken: () => (steps.length ? (url ||= written(now())) : undefined) };
  };
})();
