
"use strict";
// Text from the API reaches the page through textContent alone, never as HTML.
function element(tag, text, className) {
  const e = document.createElement(tag);
  if (text !== undefined) e.textContent = text;
  if (className) e.className = className;
  return e;
}
function ago(since) {
  const s = Math.max(0, Math.round((Date.now() - Date.parse(since)) / 1000));
  if (s < 120) return s + " s";
  if (s < 7200) return Math.floor(s / 60) + " min";
  if (s < 172800) return Math.floor(s / 3600) + " h";
  return Math.floor(s / 86400) + " days";
}
function joined(parts, separator) {
  return parts.filter(Boolean).join(separator);
}
function about(service) {
  const inFlight = service.in_flight || 0;
  return joined([service.strategy, service.balance,
    service.concurrency ? inFlight + " / " + service.concurrency + " in flight" : inFlight && inFlight + " in flight",
    service.queue_waiting && service.queue_waiting + " waiting",
    ...Object.entries(service.split || {}).sort().map(([version, weight]) => version + ": " + weight)], " \u00b7 ");
}
function trouble(source) {
  return joined([source.kind + " is " + source.state + (source.since ? " for " + ago(source.since) : ""), source.error], ": ");
}
function origin(endpoint) {
  return joined([endpoint.source && "from " + endpoint.source, endpoint.zone], " \u00b7 ");
}
function rest(endpoint) {
  const left = Math.max(0, Math.ceil((Date.parse(endpoint.until) - Date.now()) / 1000));
  return joined([endpoint.step && "step " + endpoint.step, endpoint.until && left + " s left",
    endpoint.failures && "failures: " + endpoint.failures], ", ");
}
function dialedIn(worker) {
  const labels = Object.entries(worker.labels || {}).map(([name, value]) => name + "=" + value);
  return joined(["worker from " + worker.remote, worker.zone, ...labels], " \u00b7 ");
}
function row(endpoint) {
  const tr = element("tr"), name = element("td", endpoint.name), since = element("td");
  if (endpoint.url !== endpoint.name && !endpoint.worker) name.append(element("br"), element("span", endpoint.url, "quiet"));
  if (endpoint.worker) name.append(element("br"), element("span", dialedIn(endpoint.worker), "quiet"));
  else if (origin(endpoint)) name.append(element("br"), element("span", origin(endpoint), "quiet"));
  if (endpoint.last_error) name.append(element("br"), element("span", endpoint.last_error, "error"));
  if (endpoint.since) {
    const time = element("time", ago(endpoint.since));
    time.dateTime = time.title = endpoint.since;
    since.append(time);
  }
  const word = endpoint.state || (endpoint.up ? "up" : "down"), state = element("td");
  state.append(element("span", word, word));
  if (rest(endpoint)) state.append(element("br"), element("span", rest(endpoint), "quiet"));
  const inFlight = joined([String(endpoint.in_flight), endpoint.concurrency], " / ");
  tr.append(name, state, since, element("td", endpoint.weight, "number"),
    element("td", inFlight, "number"), element("td", endpoint.idle_connections, "number"));
  return tr;
}
function section(service) {
  const s = element("section"), table = element("table"), head = element("tr"), body = element("tbody");
  for (const title of ["Endpoint", "State", "Since"]) head.append(element("th", title));
  for (const title of ["Weight", "In flight", "Idle"]) head.append(element("th", title, "number"));
  const thead = element("thead");
  thead.append(head);
  body.append(...service.endpoints.map(row));
  if (!service.endpoints.length) {
    const td = element("td", "no endpoint yet", "quiet"), tr = element("tr");
    td.colSpan = 6;
    tr.append(td);
    body.append(tr);
  }
  table.append(thead, body);
  const title = element("h2", service.name);
  if (about(service)) title.append(" ", element("span", about(service), "quiet"));
  for (const source of service.sources || []) {
    if (source.state !== "ok") title.append(element("br"), element("span", trouble(source), "error"));
  }
  s.append(title, table);
  return s;
}
async function refresh() {
  const state = document.getElementById("state");
  try {
    const answer = await fetch("/v1/services", { signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error("answered " + answer.status);
    const { services } = await answer.json();
    const shown = services.map(section);
    if (!shown.length) shown.push(element("p", "No services yet.", "quiet"));
    document.getElementById("services").replaceChildren(...shown);
    state.textContent = "";
    state.className = "quiet";
  } catch (error) {
    state.textContent = "not up to date: " + error.message;
    state.className = "error";
  }
}
// One refresh at a time: two seconds after the last, or at once when told that
// something changed.
let timer, busy = false, asked = false;
async function watch() {
  busy = true;
  asked = false;
  if (!document.hidden) await refresh();
  busy = false;
  timer = setTimeout(watch, asked ? 100 : 2000);
}
function soon() {
  const pending = asked || busy;
  asked = true;
  if (pending) return;
  clearTimeout(timer);
  timer = setTimeout(watch, 100);
}
// A page that nobody looks at follows nothing: browsers have few connections to
// one host, and other tabs need them.
let events;
function follow() {
  if (document.hidden) {
    if (events) events.close();
    events = undefined;
  } else if (!events) {
    events = new EventSource("/v1/events");
    for (const type of ["open", "endpoint_state", "worker_attached", "worker_left", "missed"]) events.addEventListener(type, soon);
  }
}
document.addEventListener("visibilitychange", () => { follow(); soon(); });
follow();
watch();
