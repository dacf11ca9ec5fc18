// Staff screens: every page works without this; it adds live figures, file upload with progress,
// keys and protection against double clicks. It writes text and attributes only, never markup.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Show what an event says: texts by name, bars by value, chart lines by path. */
function show(news) {
  for (const place of $$("[data-live]")) {
    const text = news.texts[place.dataset.live];
    if (text !== undefined && place.textContent !== text) place.textContent = text;
  }
  for (const bar of $$("[data-bar]")) {
    const pair = news.bars[bar.dataset.bar];
    if (pair) {
      bar.max = pair[1] || 1;
      bar.value = pair[0];
    }
  }
  for (const path of $$("[data-path]")) {
    const d = news.paths[path.dataset.path];
    if (d) path.setAttribute("d", d);
  }
  for (const drawing of $$(".chart svg")) {
    $$("circle", drawing).forEach((mark, index) => mark.setAttribute("cy", news.marks[index]));
  }
}

/** Take the whole page anew; not while the person is leaving, for that would cancel where they go.
 * A download counts as leaving too, and they stay: so it is only put off. */
const LEAVING_MS = 5_000;
let leftAt = -LEAVING_MS;
addEventListener("beforeunload", () => { leftAt = performance.now(); });
function renew() {
  const rest = leftAt + LEAVING_MS - performance.now();
  if (rest > 0) setTimeout(renew, rest);
  else location.reload();
}

/** Follow a screen's events; when its structure changes, take the whole page anew. */
function follow(root) {
  const chip = $("[data-link]", root);
  const say = (on) => {
    if (!chip) return;
    chip.hidden = false;
    chip.classList.toggle("is-on", on);
    chip.textContent = on ? chip.dataset.on : chip.dataset.off;
  };
  let source = null;
  let timer = 0;
  const take = (text) => {
    const news = JSON.parse(text);
    if (news.structure !== root.dataset.structure) renew();
    else show(news);
  };
  const poll = async () => {
    try {
      const answer = await fetch(root.dataset.events + "&once=1");
      if (answer.ok) take(await answer.text());
    } catch {
      say(false);
    }
  };
  const open = () => {
    source = new EventSource(root.dataset.events);
    source.onopen = () => { say(true); clearInterval(timer); };
    source.onmessage = (event) => take(event.data);
    // The session is over: the server shows the way to log in again.
    source.addEventListener("end", () => { source.close(); renew(); });
    source.onerror = () => {
      say(false);
      clearInterval(timer);
      timer = setInterval(poll, 10_000);
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 10_000);
    };
  };
  // A hidden tab asks for nothing; coming back it catches up.
  const heed = () => {
    source?.close();
    clearInterval(timer);
    if (document.hidden) say(false);
    else open();
  };
  document.addEventListener("visibilitychange", heed);
  heed();
}

/** A button that was pressed once is busy; the server would give the same answer anyway. */
function guardOnce(form) {
  form.addEventListener("submit", (event) => {
    const button = $("[data-once]", form);
    if (!button) return;
    if (button.ariaDisabled) event.preventDefault();
    button.ariaDisabled = "true";
  });
}

async function createImport(file, box) {
  const answer = await fetch("/d/do/ImportCreate", {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" },
    body: new URLSearchParams({
      csrf: box.dataset.csrf, idempotencyKey: box.dataset.key,
      filename: file.name, size: String(file.size),
    }),
  });
  const made = await answer.json();
  if (!answer.ok) throw new Error(made.message);
  return made;
}

/** PUT the file as it is; XMLHttpRequest because fetch can't tell how much has gone out. */
function send(file, made, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", made.uploadUrl);
    request.setRequestHeader("Content-Type", "text/csv");
    request.upload.onprogress = (event) => onProgress(event.loaded, file.size);
    request.responseType = "json";
    request.onload = () => {
      // A file that was refused is told about on its own screen.
      if (request.status < 500) resolve();
      else reject(new Error(request.response?.error?.message || ""));
    };
    request.onerror = () => reject(new Error(""));
    request.send(file);
  });
}

function upload(box) {
  const bar = $("progress", box);
  const said = $("[data-said]", box);
  const drop = $(".drop", box);
  const start = async (file) => {
    if (!file) return;
    $("[data-progress]", box).hidden = false;
    $("[data-file]", box).textContent = file.name;
    if (!file.size) { said.textContent = box.dataset.empty; return; }
    drop.hidden = true;
    said.textContent = box.dataset.sending;
    try {
      const made = await createImport(file, box);
      await send(file, made, (done, whole) => {
        bar.max = whole;
        bar.value = done;
        const mib = (n) => (n / 1048576).toFixed(1);
        said.textContent = `${box.dataset.sending} ${mib(done)} / ${mib(whole)} MB`;
      });
      said.textContent = box.dataset.done;
      location.assign(made.screen);
    } catch (fault) {
      said.textContent = fault.message || box.dataset.broken;
      drop.hidden = false;
    }
  };
  box.hidden = false;
  $("[data-paste]")?.removeAttribute("open");
  $("input[type=file]", box).addEventListener("change", (event) => start(event.target.files[0]));
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("is-over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("is-over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("is-over");
    start(event.dataTransfer.files[0]);
  });
}

/** A chosen file's text into the form, read in its own charset: the form is what is sent. */
function readInto(input) {
  const field = $("#" + input.dataset.read);
  input.closest("p").hidden = false;
  input.addEventListener("change", async () => {
    const file = input.files[0];
    if (!file) return;
    try {
      const bytes = await file.arrayBuffer();
      field.value = new TextDecoder(input.dataset.charset, { fatal: true }).decode(bytes);
    } catch {
      $("#" + field.getAttribute("aria-describedby")).textContent = input.dataset.broken;
    }
  });
}

/** "/" puts the cursor into the search box, unless someone is typing. */
function keys(event) {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const box = $("#field-q") || $("#find");
  if (box) {
    event.preventDefault();
    box.focus();
    box.select();
  }
}

function copyable(block) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button quiet";
  button.textContent = block.dataset.copy;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(block.textContent);
    button.textContent = block.dataset.copied;
  });
  block.after(button);
}

/** A bank's answer goes up as it is; what it said stands on the screen that comes next, and why it
 * could not even be looked at stands here. */
function answer(box) {
  box.parentElement.hidden = false;
  box.addEventListener("change", async () => {
    const file = box.files[0];
    if (!file) return;
    box.disabled = true;
    const hint = $(".hint", box.parentElement);
    hint.role = "alert";
    if (box.dataset.sending) hint.textContent = box.dataset.sending;
    try {
      const said = await fetch(box.dataset.result, { method: "PUT", body: file });
      const { error, seenBefore } = await said.json();
      const isKnown = seenBefore && box.dataset.known;
      if (said.ok && !isKnown) return location.reload();
      const at = error?.params?.record ? `${box.dataset.record} ${error.params.record}: ` : "";
      hint.textContent = isKnown || `${at}${error.message} ${error.remedy || ""}`;
    } catch {
      hint.textContent = box.dataset.broken;
    }
    box.disabled = false;
  });
}

/** The browser's own voice reads a call's sample out, scene by scene; pressed again it stops. */
function listen(button) {
  if (!("speechSynthesis" in window)) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const isGoing = speechSynthesis.speaking;
    speechSynthesis.cancel();
    if (isGoing) return;
    for (const scene of $$("[data-aloud]")) {
      const said = new SpeechSynthesisUtterance(scene.textContent);
      said.lang = scene.lang === "en" ? "en-US" : "ja-JP";
      speechSynthesis.speak(said);
    }
  });
}

/** What is wrong with a text, shown while it is typed: the latest answer counts. */
function look(form) {
  const field = $("textarea", form);
  const subject = $("[name=subject]", form);
  let timer = 0;
  let turn = 0;
  const say = (news) => {
    $("[data-findings]").replaceChildren(...news.findings.map((one) => {
      const line = document.createElement("li");
      line.className = "is-" + one.severity;
      line.textContent = `${one.text} ${one.at}`;
      return line;
    }));
    $("[data-fine]").hidden = news.findings.length > 0;
    $("[data-size]").textContent = news.size;
    $("[data-sample]").textContent = news.sample;
    if (subject) $("[data-subject]").textContent = news.subject;
    const isWrong = (part) => news.findings.some((one) => one.severity === "error" && one.part === part);
    field.parentElement.classList.toggle("is-wrong", isWrong("body"));
    subject?.parentElement.classList.toggle("is-wrong", isWrong("subject"));
  };
  const ask = async () => {
    const mine = ++turn;
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new URLSearchParams(new FormData(form)),
        headers: { Accept: "application/json" },
      });
      const news = await answer.json();
      if (mine !== turn) return;
      if (answer.ok) say(news);
      else say({ findings: [{ severity: "error", part: "body", text: news.error.message, at: "" }], size: "", sample: "", subject: "" });
    } catch {
      // The buttons work without this; the next letter asks again.
    }
  };
  const wait = () => { clearTimeout(timer); timer = setTimeout(ask, 400); };
  field.addEventListener("input", wait);
  subject?.addEventListener("input", wait);
}

$$("[data-events]").forEach(follow);
$$("[data-template]").forEach(look);
$$("[data-listen]").forEach(listen);
$$("form").forEach(guardOnce);
$$("[data-upload]").forEach(upload);
$$("[data-result]").forEach(answer);
$$("[data-copy]").forEach(copyable);
$$("[data-read]").forEach(readInto);
document.addEventListener("keydown", keys);
$("#trouble")?.focus();
// What is still going on is looked at again, while somebody looks.
if ($("[data-renew]")) setInterval(() => document.hidden || renew(), 10_000);
// Coming back by history must not show a busy button.
addEventListener("pageshow", (event) => event.persisted && location.reload());
