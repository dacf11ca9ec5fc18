// The service worker of the payer's page: shows a notification, and opens its bill when tapped.
// It fetches nothing and keeps nothing. The same bill's newer notice takes the older one's place.
addEventListener("push", (e) => {
const n = e.data.json();
e.waitUntil(registration.showNotification(n.title, { body: n.body, tag: n.tag, data: n.url }));
});
addEventListener("notificationclick", (e) => {
e.notification.close();
const u = new URL(e.notification.data, location.origin);
if (u.origin === location.origin) e.waitUntil(clients.openWindow(u.href));
});
