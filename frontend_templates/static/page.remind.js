// "Remind me on this phone": nothing is asked before the button is pressed.
const form = document.querySelector("#remind"), [can, cannot, refused] = ["#can", "#cannot", "#refused"].map((id) => document.querySelector(id));
if (form && "serviceWorker" in navigator && "PushManager" in window) {
can.hidden = false;
cannot.hidden = true;
const ours = { createScriptURL: (u) => u === "/remind.js" ? u : "" };
const worker = (window.trustedTypes ? trustedTypes.createPolicy("remind", ours) : ours).createScriptURL("/remind.js");
form.addEventListener("submit", async (e) => {
e.preventDefault();
const k = form.querySelector("button");
try {
await navigator.serviceWorker.register(worker, { scope: "/b/" });
const there = await navigator.serviceWorker.ready;
const said = (await there.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: form.dataset.key })).toJSON();
form.endpoint.value = said.endpoint;
form.p256dh.value = said.keys.p256dh;
form.auth.value = said.keys.auth;
form.submit();
} catch {
refused.hidden = false;
k.removeAttribute("aria-disabled");
k.textContent = k.dataset.again;
}
});
}
