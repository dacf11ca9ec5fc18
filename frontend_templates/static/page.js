// The payer's page, written into it. Everything works without; this adds six comforts.
const d = document, b = d.body.dataset, f = d.querySelector("form");
// A person is looking: a prefetcher never gets here.
const seen = () => { if (b.opened && !d.hidden) { navigator.sendBeacon(b.opened); b.opened = "" } };
seen();
d.addEventListener("visibilitychange", seen);
// A second tap does nothing; the server would give the same attempt anyway.
f && f.addEventListener("submit", (e) => {
const k = f.querySelector("button");
if (k.ariaDisabled) return e.preventDefault();
k.ariaDisabled = "true";
k.textContent = k.dataset.busy;
});
addEventListener("pageshow", (e) => e.persisted && location.reload());
// While a payment is being confirmed: look every few seconds, reload when there is news; not while
// the person is leaving, for that would cancel where they go.
let left = -5e3;
addEventListener("beforeunload", () => { left = performance.now() });
const ask = async (s) => {
try { if (await (await fetch(b.state)).text() !== b.now && performance.now() > left + 5e3) return location.reload() } catch { }
setTimeout(ask, s * 1e3, Math.min(s * 1.3, 20));
};
b.state && setTimeout(ask, 2e3, 3);
// Where nothing is touched there is no telephone, so no app: straight on, as to any company.
const w = d.querySelector("[data-away]");
w && !matchMedia("(any-pointer: coarse)").matches && location.replace(w.href);
const r = d.querySelector("[data-push]");
if (r && "PushManager" in window) r.hidden = false;
const p = d.querySelector("[data-print]");
if (p) { p.hidden = false; p.onclick = () => print() }
