// Keys, live updates, copying of commands, and a question before what cannot be taken back. Every page works without this file.
"use strict";

// --- keys ---------------------------------------------------------------------------------------------------------
const typing = (e) => e.target.closest("input, textarea, select, [contenteditable]");
const rows = () => [...document.querySelectorAll("[data-row]")];
let waiting = 0; // until when a "g" waits for its second key

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
  all[next].focus();
  all[next].scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.key === "Escape" && typing(e)) return e.target.blur();
  if (typing(e) || document.querySelector("dialog[open]")) return;
  if (waiting > Date.now()) {
    waiting = 0;
    const link = document.querySelector(`nav a[data-key="${CSS.escape(e.key)}"]`);
    if (link) { e.preventDefault(); location.assign(link.href); }
    return;
  }
  const does = {
    j: () => move(1), k: () => move(-1), g: () => { waiting = Date.now() + 1500; },
    "/": () => document.getElementById("find")?.focus(), n: () => document.getElementById("note")?.focus(),
    "?": () => document.getElementById("help")?.showModal(),
  }[e.key];
  if (does) { e.preventDefault(); does(); }
});

document.querySelector(".site nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }); // on a phone the row is longer than the screen

// --- buttons ------------------------------------------------------------------------------------------------------
document.addEventListener("click", async (e) => {
  const button = e.target.closest("button");
  if (!button) return;
  if ("help" in button.dataset) document.getElementById("help")?.showModal();
  if ("copy" in button.dataset) {
    const text = button.closest(".copyable").querySelector("code").textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(button.closest(".copyable").querySelector("code")); // not allowed without TLS: select it instead
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  }
});

document.addEventListener("submit", (e) => {
  const ask = e.submitter?.dataset.ask;
  if (ask && !confirm(ask)) return e.preventDefault();
  if (e.submitter && e.target.method === "post") setTimeout(() => { e.submitter.disabled = true; }, 0); // once is enough
});

// --- live updates -------------------------------------------------------------------------------------------------
// The server says that something changed; the page reads itself again and takes over its parts, except where somebody is writing.
const said = document.getElementById("live-state");
let reading = false;
let again = false;
let pressed = null; // what a finger or a mouse button is down on: replaced before it is let go, it would never be clicked
addEventListener("pointerdown", (e) => { pressed = e.target; }, true);
for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => { setTimeout(() => { pressed = null; }, 0); }, true);

async function refresh() {
  if (reading) { again = true; return; }
  reading = true;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
    if (!answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-part]")) {
      const next = fresh.getElementById(part.id);
      const busy = part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");
      const open = [...part.querySelectorAll("details[open]")].length > 0;
      const held = pressed !== null && part.contains(pressed);
      if (held) again = true;
      if (!next || busy || open || held || next.innerHTML === part.innerHTML) continue;
      const focused = rows().indexOf(document.activeElement);
      part.replaceChildren(...next.childNodes);
      if (focused >= 0) rows()[focused]?.focus({ preventScroll: true });
    }
    document.title = fresh.title;
    said.textContent = "";
  } catch {
    said.textContent = "not up to date: the server does not answer";
  } finally {
    reading = false;
    if (again) { again = false; setTimeout(refresh, 1000); }
  }
}

if (document.body.dataset.live && document.querySelector("[data-part]")) {
  const events = new EventSource(document.body.dataset.live);
  events.addEventListener("changed", refresh);
  events.addEventListener("error", () => { said.textContent = "connection lost, trying again"; });
  events.addEventListener("open", refresh); // what changed before it was open, or while it was not, was told to nobody
  setInterval(() => { if (!document.hidden) refresh(); }, 10000); // rates move without any event
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  addEventListener("pagehide", () => events.close());
}
