// Adds messages to the phone as they arrive. Text nodes and elements only: no markup from messages.
const phone = document.querySelector(".phone");
const messages = document.getElementById("messages");
const people = document.getElementById("people");
const LINK = /(https?:\/\/[^\s]+)/u;

function bubble(message) {
  const item = document.createElement("li");
  const from = document.createElement("span");
  from.className = "from";
  from.append(message.from + " ");
  const time = document.createElement("time");
  time.textContent = message.clock;
  from.append(time);
  const text = document.createElement("p");
  for (const piece of message.text.split(LINK)) {
    if (LINK.test(piece)) {
      const link = document.createElement("a");
      link.href = piece;
      link.target = "_blank";
      link.rel = "noopener";
      link.textContent = piece;
      text.append(link);
    } else {
      text.append(piece);
    }
  }
  item.append(from, text);
  return item;
}

function person(message) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = "/phone?to=" + encodeURIComponent(message.to);
  const number = document.createElement("b");
  number.textContent = message.to;
  const text = document.createElement("span");
  text.textContent = message.text.slice(0, 28);
  link.append(number, text);
  item.append(link);
  return item;
}

const events = new EventSource("/phone/events?after=" + phone.dataset.after);
events.addEventListener("message", (event) => {
  for (const message of JSON.parse(event.data)) {
    if (message.to === phone.dataset.to) {
      messages.append(bubble(message));
      messages.lastElementChild.scrollIntoView({ block: "end" });
    }
    people.querySelector(".empty")?.remove();
    people.prepend(person(message));
    while (people.children.length > 30) people.lastElementChild.remove();
  }
});

const calls = document.getElementById("calls");
events.addEventListener("call", (event) => {
  for (const call of JSON.parse(event.data)) {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = "/calls/" + call.seq;
    const number = document.createElement("b");
    number.textContent = call.to;
    const text = document.createElement("span");
    text.textContent = "☎ ringing";
    link.append(number, text);
    item.append(link);
    calls.querySelector(".empty")?.remove();
    calls.prepend(item);
    while (calls.children.length > 5) calls.lastElementChild.remove();
  }
});
