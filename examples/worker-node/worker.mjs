#!/usr/bin/env node
// A worker in one file: it dials in to routers, and serves the requests that they send over the
// connections it has opened. Node 20.12 or newer, no packages. Put your application into handle.
// What is spoken: docs/reference/attach-protocol.md
import fs from 'node:fs';
import http from 'node:http';
import { constants, performServerHandshake } from 'node:http2';
import https from 'node:https';
import os from 'node:os';
import { Readable, pipeline } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const say = (text) => console.error(text);
const die = (text) => { say(`${text}\nusage: worker.mjs --to ROUTER [--to ...] [--service NAME] ... (see README.md)`); process.exit(2); };
const names = ['service', 'version', 'instance', 'token', 'concurrency', 'ca', 'silence', 'shutdown-timeout'];
const o = { concurrency: '100', silence: '35', 'shutdown-timeout': '30', instance: `${os.hostname()}-${process.pid}`, to: process.env.WEIR_TO?.split(',') };
for (const name of names) o[name] = process.env[`WEIR_${name.toUpperCase().replace('-', '_')}`] || o[name];
try {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
  Object.assign(o, parseArgs({ options: { ...options, to: { type: 'string', multiple: true } } }).values);
  if (o.ca) o.ca = fs.readFileSync(o.ca);
} catch (err) { die(err.message); }
for (const name of ['concurrency', 'silence', 'shutdown-timeout']) if (/^\d{1,6}$/.test(o[name])) o[name] = Number(o[name]); else die(`--${name} is no number`);
const headers = { Connection: 'upgrade', Upgrade: 'ptth', ALPN: 'h2', 'Weir-Instance': o.instance.replace(/[^\w.-]/g, '-').slice(-128) };
if (o.service) headers['Weir-Service'] = o.service;
if (o.version) headers['Weir-Version'] = o.version;
if (o.token) headers.Authorization = `Bearer ${o.token}`;

async function * ticks(count, every) {
  for (let i = 1; i <= count; await sleep(every), i++) yield `${i}\n`;
}

// handle answers a request; raw is its fields as they came, names and values in turn.
function handle(stream, fields, raw) {
  const [path, query] = (fields[':path'] ?? '').split('?');
  if (fields[':method'] === 'POST' && path === '/echo') { // every x-echo field comes back, too
    stream.respond({ 'x-echo': raw.filter((_, i) => i % 2 === 1 && raw[i - 1] === 'x-echo') });
    return void pipeline(stream, stream, () => {});
  }
  stream.resume(); // content that nobody reads would hold up its sender
  stream.respond({ 'content-type': 'text/plain' });
  if (stream.headRequest) return;
  if (path !== '/stream') return void stream.end(`hello from ${o.instance}\n`);
  const ask = new URLSearchParams(query);
  const lines = Readable.from(ticks(Number(ask.get('count') ?? 5), Number(ask.get('every') ?? 200)));
  pipeline(lines, stream, (err) => err && say(`${path}: the client left`)); // which ends ticks
}

const stop = new AbortController();
const sessions = new Set();
const leave = (session) => session.close(); // GOAWAY; what is under way is finished

// serve makes this side of a connection the server; the router begins.
function serve(socket) {
  const session = performServerHandshake(socket, {
    settings: { maxConcurrentStreams: o.concurrency }, maxSessionMemory: 64,
    streamResetBurst: 1e6, streamResetRate: 1e6, // clients that leave are no attack; a Node that is too old ignores it
  });
  sessions.add(session);
  session.once('close', () => sessions.delete(session));
  session.on('error', (err) => say(`connection: ${err.message}`));
  session.on('ping', () => {}); // only with a listener does PING count as a sign of the router
  session.setTimeout(o.silence * 1000, () => session.destroy());
  session.on('stream', (stream, fields, _, raw) => {
    stream.on('error', () => {}); // the client left, or the connection did
    try {
      if (!fields[':path']?.startsWith('/.well-known/weir/')) return handle(stream, fields, raw);
      // As it came, never decoded: only then is it certain that the router itself asks.
      const move = fields[':method'] === 'POST' && fields[':path'] === '/.well-known/weir/drain';
      stream.respond({ ':status': move ? 204 : 404 }, { endStream: true });
      if (move) session.emit('move');
    } catch (err) {
      say(`${fields[':method']} ${fields[':path']}: ${err.stack}`);
      if (stream.headersSent) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      else stream.respond({ ':status': 500 }, { endStream: true });
    }
  });
  return session;
}

// parse reads a router: a URL, or host:port, which is clear text on this machine and TLS elsewhere.
const isLocal = (url) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
const parse = (text) => new URL(/^https?:\/\//.test(text) ? text : (isLocal(new URL(`https://${text}`)) ? 'http://' : 'https://') + text);

async function refused(response) {
  let text = '', problem;
  for await (const part of response.setEncoding('utf8')) if ((text += part).length > 1 << 16) break;
  try { problem = JSON.parse(text); } catch { /* it is not of the router */ }
  const why = new Error(`refused: ${response.statusCode} ${problem?.error ?? response.statusMessage}: ${problem?.detail ?? 'no reason given'}`);
  throw Object.assign(why, { retryAfter: Math.min(Number(response.headers['retry-after']) || 0, 300) });
}

// attach opens a connection to a router and asks it to be the client.
const attach = (router) => new Promise((resolve, reject) => {
  const { get } = router.protocol === 'https:' ? https : http;
  const target = new URL('/.well-known/weir/attach', router);
  const request = get(target, { headers, ca: o.ca, agent: false, timeout: 10_000, rejectUnauthorized: true });
  request.on('timeout', () => request.destroy(new Error('no answer within 10 s')));
  request.on('error', reject);
  request.on('response', (response) => refused(response).catch(reject));
  request.on('upgrade', (response, socket, behind) => {
    if (stop.signal.aborted || !/^ptth$/i.test(response.headers.upgrade) || response.headers.alpn !== 'h2') {
      socket.destroy();
      return reject(new Error('the answer is too late, or switches to another protocol'));
    }
    socket.setTimeout(0);
    if (behind.length > 0) socket.unshift(behind); // the router has begun already
    resolve(serve(socket));
    for (const text of (response.headers['weir-routers'] ?? '').split(/[, ]+/).filter(Boolean)) {
      try { // a token goes nowhere in clear text because somebody said so
        const next = parse(text);
        const safe = next.protocol === 'https:' || isLocal(router) && isLocal(next);
        if (safe && (isLocal(router) || router.protocol === 'https:')) begin(next);
      } catch { say(`${text} is no router`); }
    }
  });
});

// keep holds one connection to a router: another when it ends, or before that if the router asks.
async function keep(router) {
  for (let failures = 0, old; !stop.signal.aborted;) {
    let wait = 0, since = Infinity;
    try {
      const session = await attach(router);
      since = Date.now();
      say(`attached to ${router.host}`);
      if (old) leave(old);
      const moved = await new Promise((done) => session.once('close', () => done(false)).once('move', () => done(true)));
      if (moved) setTimeout(leave, 5000, old = session).unref();
      say(`${router.host}: ${moved ? 'asked to move' : 'the connection has ended'}`);
    } catch (err) {
      say(`${router.host}: ${err.message}`);
      wait = (err.retryAfter ?? 0) * 1000;
    }
    if (Date.now() - since > 10_000) failures = 0; // it had held
    wait += Math.random() * Math.min(10_000, 100 * 2 ** failures++); // full jitter
    await sleep(wait, undefined, { signal: stop.signal }).catch(() => {});
  }
}

const known = new Set();
function begin(router) {
  if (known.has(router.host) || known.size >= 16) return;
  known.add(router.host);
  keep(router);
}

function shutdown() {
  if (stop.signal.aborted) process.exit(1); // asked twice
  stop.abort();
  setTimeout(() => process.exit(1), o['shutdown-timeout'] * 1000);
  const left = [...sessions].map((session) => new Promise((done) => { session.once('close', done); leave(session); }));
  Promise.all(left).then(() => process.exit(0));
}
process.on('SIGTERM', shutdown).on('SIGINT', shutdown);
for (const router of o.to ?? die('where to? there is no --to')) try { begin(parse(router)); } catch { die(`${router} is no router`); }
