// A server like Apple's push service on node's own HTTP/2 (nghttp2): what a token begins with says
// how it behaves. Each request that it looks at is a line of the journal, written before it answers.
// Arguments: the listening socket, certificate, key, journal, and "plain" for one without ALPN.
const fs = require("fs");
const http2 = require("http2");
const tls = require("tls");

const [door, cert, key, journal, kind] = process.argv.slice(2);
const pair = { cert: fs.readFileSync(cert), key: fs.readFileSync(key) };
const { NGHTTP2_REFUSED_STREAM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = http2.constants;
let sessions = 0;
const waiting = [];
let expired = null;

function note(row) {
  fs.appendFileSync(journal, JSON.stringify(row) + "\n");
}

function say(stream, status, said, headers = {}) {
  stream.respond({ ":status": status, "content-type": "application/json", ...headers });
  stream.end(said === undefined ? "" : JSON.stringify(said));
}

const behaviours = {
  bad0: (stream) => say(stream, 400, { reason: "BadDeviceToken" }),
  "0410": (stream) => say(stream, 410, { reason: "Unregistered", timestamp: 1764300000000 }),
  "0429": (stream) => say(stream, 429, { reason: "TooManyRequests" }, { "retry-after": "7" }),
  "0413": (stream) => say(stream, 413, { reason: "PayloadTooLarge" }),
  "0503": (stream) => say(stream, 503, { reason: "ServiceUnavailable" }),
  "0403": (stream, headers) => {
    expired = expired || headers.authorization;
    if (headers.authorization === expired) say(stream, 403, { reason: "ExpiredProviderToken" });
    else say(stream, 200, undefined);
  },
  drop: (stream) => stream.session.destroy(),
  half: (stream) => {
    stream.respond({ ":status": 200, "content-length": "100" });
    stream.write("half", () => stream.session.socket.destroySoon());
  },
  rese: (stream) => stream.close(NGHTTP2_INTERNAL_ERROR),
  hang: () => {},
  bomb: (stream) => {
    const many = {};
    for (let n = 0; n < 60; n++) many[`x-${n}`] = "x".repeat(500);
    say(stream, 200, undefined, many);
  },
  huge: (stream) => {
    stream.respond({ ":status": 200 });
    stream.end("x".repeat(200000));
  },
  gzip: (stream) => say(stream, 200, "zipped", { "content-encoding": "gzip" }),
  // Answers three at a time, so a portal that sends them one by one gets no answer at all.
  wait: (stream) => {
    waiting.push(stream);
    if (waiting.length === 3) waiting.splice(0).forEach((one) => say(one, 200, undefined));
  },
  // It ends the connection, but has looked at this one and answers it.
  last: (stream) => {
    stream.session.goaway(NGHTTP2_NO_ERROR, stream.id);
    setTimeout(() => say(stream, 200, undefined), 20);
  },
};

// By node's own account these two were not looked at: they stand in no journal.
const unseen = {
  refu: (stream) => stream.close(NGHTTP2_REFUSED_STREAM),
  away: (stream) => stream.session.goaway(NGHTTP2_NO_ERROR, stream.id - 2),
};

// Hexadecimal letters are all that a token may have: the names above are spelled by these.
const names = {
  d0d0: "drop", ba1f: "half", "5e5e": "rese", "4a46": "hang", b0b0: "bomb", f00d: "huge",
  c1c1: "gzip", aaaa: "wait", "1a57": "last", "5efe": "refu", a0a0: "away", babe: "bad0",
};

function take(stream, headers) {
  const token = headers[":path"].split("/").pop();
  const word = names[token.slice(0, 4)] || token.slice(0, 4);
  stream.on("error", () => {});
  if (unseen[word]) return unseen[word](stream);
  const body = [];
  const row = { session: stream.session.number, headers: { ...headers } };
  stream.on("data", (piece) => body.push(piece));
  stream.on("end", () => {
    note({ ...row, token, body: Buffer.concat(body).toString() });
    const behave = behaviours[word] || ((one) => say(one, 200, undefined));
    behave(stream, headers);
  });
}

let server;
if (kind === "plain") {
  server = tls.createServer(pair, (socket) => socket.on("error", () => {}));
} else {
  // Tight terms, so that windows and the number of streams are really waited for. nghttp2 itself
  // refuses a stream too many.
  const settings = { initialWindowSize: 100, maxConcurrentStreams: 3 };
  server = http2.createSecureServer({ ...pair, settings });
  server.on("session", (session) => (session.number = ++sessions));
  server.on("sessionError", () => {});
  server.on("stream", take);
}
server.listen({ fd: Number(door) }, () => note({ ready: kind }));
