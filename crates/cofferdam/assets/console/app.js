// The moving parts of the console: graphs that follow, and pieces of the page that the server sends
// anew. Numbers are made by the server; here they are only drawn. Without this script the pages work.
(() => {
  "use strict";

  const live = document.getElementById("live");
  const { tenant, view } = live.dataset;
  // Where the pages are: an operator's are below /console, a tenant's have an address of their own.
  const base = live.dataset.base ?? "/console";
  const own = (name) => `tenant/${tenant}/${name}`;

  // ---- What is drawn -----------------------------------------------------------------------------

  const sum = (...values) => (values.some((v) => v == null) ? null : values.reduce((a, b) => a + b, 0));
  const ratio = (part, rest) => (part == null || rest == null || part + rest === 0 ? null : part / (part + rest));
  const line = (label, names, colour, how = (v) => v, axis = "y") => ({ label, names: [].concat(names), colour, how, axis });
  const states = (kind) => ["memcache", "memcache_auth", "memcache_tls"].map((l) => `listener/${l}/${kind}`);
  // A listener that there is not has no figure; the others' sum is whole without it.
  const all = (...values) => {
    const known = values.filter((v) => v != null);
    return known.length ? known.reduce((a, b) => a + b, 0) : null;
  };

  const CHARTS = {
    requests: { title: "Requests a second", unit: "count", lines: [
      line("reads", "service/reads", 1), line("writes", "service/writes", 2), line("refused", "service/refused", 5)] },
    delay: { title: "Waiting time of requests", unit: "time", log: true, lines: [
      line("p50", "service/p50_s", 3), line("p99", "service/p99_s", 1), line("p99.9", "service/p999_s", 4)] },
    hits: { title: "Hit ratio", unit: "percent", top: 1, lines: [
      line("hits", ["service/hits", "service/misses"], 3, ratio)] },
    connections: { title: "Connections", unit: "count", lines: [
      line("open", states("established"), 1, all), line("at the door", "service/at_door", 2),
      line("half closed", states("close_wait"), 5, all), line("time wait", states("time_wait"), 6, all)] },
    network: { title: "Network", unit: "bytes", second: "count", lines: [
      line("in", "host/net/all/received_bytes", 1), line("out", "host/net/all/sent_bytes", 2),
      line("packets in", "host/net/all/received_packets", 6, (v) => v, "second")] },
    disk: { title: "Disks", unit: "bytes", second: "time", lines: [
      line("read", "host/disk/all/read_bytes", 1), line("written", "host/disk/all/written_bytes", 2),
      line("latency", "host/disk/all/latency_s", 4, (v) => v, "second")] },
    processor: { title: "Processors", unit: "percent", top: 1, lines: [
      line("busy", "host/cpu/idle", 1, (v) => (v == null ? null : 1 - v)), line("disk wait", "host/cpu/iowait", 2),
      line("packets", "host/cpu/softirq", 3), line("stolen", "host/cpu/steal", 5)] },
    kernel: { title: "Kernel", unit: "count", lines: [
      line("retransmits", "host/tcp/retransmits", 2), line("resets", "host/tcp/established_resets", 4),
      line("listen drops", "host/tcp/listen_drops", 5), line("cookies", "host/tcp/syn_cookies_sent", 6)] },
    "fleet-answered": { title: "Requests that nodes answered", unit: "count", lines: [
      line("in time", "fleet/answered", 3), line("too late", "fleet/late", 2)] },
    "fleet-failed": { title: "Requests that no node answered: misses", unit: "count", lines: [
      line("no answer in time", "fleet/timed_out", 2), line("out of reach", "fleet/unreachable", 5),
      line("ring changed", "fleet/ring_changed", 6)] },
    "tenant-requests": { title: "Requests a second", unit: "count", lines: [
      line("reads", own("reads"), 1), line("writes", own("writes"), 2)] },
    "tenant-delay": { title: "Waiting time of requests", unit: "time", log: true, lines: [
      line("p50", own("p50_s"), 3), line("p99", own("p99_s"), 1)] },
    "tenant-held": { title: "Made to wait, and refused", unit: "percent", second: "count", lines: [
      line("waits", own("paused"), 2), line("refused a second", own("refused"), 5, (v) => v, "second")] },
    "tenant-hits": { title: "Hit ratio", unit: "percent", top: 1, lines: [
      line("hits", [own("hits"), own("misses")], 3, ratio)] },
    "tenant-connections": { title: "Connections", unit: "count", lines: [
      line("open", own("connections"), 1), line("new a second", own("connects"), 2),
      line("unused a second", own("connects_unused"), 4)] },
    "tenant-memory": { title: "Memory", unit: "bytes", lines: [
      line("held", own("held_bytes"), 1), line("quota", own("quota_bytes"), 6)] },
  };

  // ---- Numbers -----------------------------------------------------------------------------------

  const digits = (v) => (v === 0 ? "0" : Math.abs(v) < 9.995 ? String(+v.toFixed(2)) : Math.abs(v) < 99.95 ? String(+v.toFixed(1)) : v.toFixed(0));
  const scaled = (v, step, units) => {
    let unit = 0;
    while (Math.abs(v) >= 999.5 && unit < units.length - 1) { v /= step; unit += 1; }
    return digits(v) + units[unit];
  };
  const SHOW = {
    count: (v) => scaled(v, 1000, ["", "k", "M", "G"]),
    bytes: (v) => scaled(v, 1024, [" B", " KiB", " MiB", " GiB"]),
    percent: (v) => `${digits(v * 100)} %`,
    time: (v) => (v < 0.0009995 ? `${digits(v * 1e6)} µs` : v < 0.9995 ? `${digits(v * 1e3)} ms` : `${digits(v)} s`),
  };
  const show = (unit, v) => (v == null || !Number.isFinite(v) ? "–" : SHOW[unit](v));

  // ---- State -------------------------------------------------------------------------------------

  let range = 300;
  let events = [];
  let plots = [];
  const style = () => {
    const css = getComputedStyle(document.documentElement);
    return (name) => css.getPropertyValue(name).trim();
  };

  // ---- Graphs ------------------------------------------------------------------------------------

  const clock = (t) => new Date(t * 1000).toISOString();
  const ticks = (u, values) => values.map((t) => (range <= 3600 ? clock(t).slice(11, 19) : range <= 86400 ? clock(t).slice(11, 16) : clock(t).slice(5, 10)));

  /** Times in which something went on, from the events: [from, to or null, class, sentence]. */
  function spans() {
    const open = new Map();
    const done = [];
    for (const event of events) {
      const key = [event.event, event.cause, event.tenant].join("|");
      const at = Date.parse(event.at) / 1000;
      const kind = /^(tenant_|clients_|logins_|hit_ratio_|memory_)/.test(event.event) ? "limited" : /^(started|stopping)$/.test(event.event) ? "well" : "trouble";
      if (tenant && event.tenant && event.tenant !== tenant) continue;
      if (event.event === "started") {
        for (const span of open.values()) span[1] = at;
        open.clear();
      }
      if (event.state === "began" || event.state === "ongoing") {
        if (open.has(key)) continue;
        const span = [Date.parse(event.onset) / 1000, null, kind, event.sentence];
        open.set(key, span);
        done.push(span);
      } else if (event.state === "ended") {
        const span = open.get(key);
        if (span) span[1] = at;
        open.delete(key);
      } else done.push([at, at, kind, event.sentence]);
    }
    return done;
  }

  /** Draws what went on behind the lines, so that cause and effect stand in one picture. */
  function bands() {
    return { hooks: { drawClear: [(u) => {
      const colour = style();
      const { left, top, width, height } = u.bbox;
      for (const [from, to, kind] of spans()) {
        if (kind === "well") continue;
        const x0 = Math.max(u.valToPos(from, "x", true), left);
        const x1 = Math.min(to == null ? left + width : u.valToPos(to, "x", true), left + width);
        if (x1 < left || x0 > left + width) continue;
        u.ctx.save();
        u.ctx.fillStyle = colour(kind === "limited" ? "--limited" : "--trouble");
        u.ctx.globalAlpha = 0.06;
        u.ctx.fillRect(x0, top, Math.max(x1 - x0, 2), height);
        u.ctx.globalAlpha = 0.55;
        u.ctx.fillRect(x0, top, devicePixelRatio, height);
        u.ctx.restore();
      }
    }] } };
  }

  function timeline() {
    const box = document.getElementById("timeline");
    const now = Date.now() / 1000;
    const place = (t) => Math.min(Math.max(((t - (now - range)) / range) * 1000, 0), 1000);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 1000 16");
    svg.setAttribute("preserveAspectRatio", "none");
    const rect = (x, width, kind, text) => {
      const made = document.createElementNS(svg.namespaceURI, "rect");
      for (const [name, value] of Object.entries({ x, width, y: kind === "lane" ? 6 : 2, height: kind === "lane" ? 4 : 12, class: kind, rx: 1 })) made.setAttribute(name, value);
      if (text) {
        const title = document.createElementNS(svg.namespaceURI, "title");
        title.textContent = text;
        made.append(title);
      }
      svg.append(made);
    };
    rect(0, 1000, "lane");
    for (const [from, to, kind, text] of spans()) {
      if ((to ?? now) < now - range) continue;
      const x = place(from);
      rect(x, Math.max(place(to ?? now) - x, 2.5), kind, `${clock(from).slice(11, 19)} ${text}`);
    }
    box.replaceChildren(svg);
  }

  function build(figure) {
    const chart = CHARTS[figure.dataset.chart];
    const colour = style();
    const caption = document.createElement("figcaption");
    const title = document.createElement("strong");
    title.textContent = chart.title;
    caption.append(title);
    const outputs = chart.lines.map((l) => {
      const key = document.createElement("span");
      key.className = `key s${l.colour}`;
      const output = document.createElement("output");
      output.setAttribute("aria-live", "off");
      key.append(`${l.label} `, output);
      caption.append(key);
      return output;
    });
    const box = document.createElement("div");
    box.className = "plot";
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", `Graph of ${chart.title}: ${chart.lines.map((l) => l.label).join(", ")}`);
    figure.replaceChildren(caption, box);
    const decades = (u, values) => values.map((v) => (v > 0 && Math.abs(Math.log10(v) - Math.round(Math.log10(v))) < 1e-6 ? v : null));
    const axis = (scale, unit, side, grid) => ({
      scale, side, stroke: colour("--soft"), font: "11px system-ui, sans-serif", size: 58, gap: 4,
      grid: { show: grid, stroke: colour("--grid"), width: 1, ...(chart.log && { filter: decades }) },
      ticks: { show: false }, space: 28,
      ...(chart.log && { filter: decades }),
      // Sizes are halved and doubled, so that their ticks are round.
      ...(unit === "bytes" && { incrs: Array.from({ length: 50 }, (_, n) => 2 ** n) }),
      values: (u, values) => values.map((v) => (v == null ? "" : show(unit, v))),
    });
    const from0 = (u, min, max) => [0, chart.top ?? (max > 0 ? max * 1.08 : 1)];
    const y = chart.log ? { distr: 3, range: (u, min, max) => (min > 0 ? [10 ** Math.floor(Math.log10(min)), 10 ** Math.ceil(Math.log10(max * 1.01))] : [1e-5, 1e-1]) } : { range: from0 };
    const axes = [
      { stroke: colour("--soft"), font: "11px system-ui, sans-serif", grid: { stroke: colour("--grid"), width: 1 }, ticks: { show: false }, values: ticks, space: 84, size: 26 },
      axis("y", chart.unit, 3, true),
    ];
    if (chart.second) axes.push(axis("second", chart.second, 1, false));
    const unitOf = (l) => (l.axis === "second" ? chart.second : chart.unit);
    const options = {
      width: box.clientWidth, height: 172, padding: [8, chart.second ? 0 : 28, 0, 0], legend: { show: false },
      tzDate: (t) => uPlot.tzDate(new Date(t * 1000), "Etc/UTC"),
      cursor: { sync: { key: "console" }, drag: { x: false, y: false }, points: { size: 5 } },
      scales: { x: { range: () => { const end = plots.end ?? Date.now() / 1000; return [end - range, end]; } }, y, second: { range: (u, min, max) => [0, max > 0 ? max * 1.08 : 1] } },
      axes,
      series: [{}, ...chart.lines.map((l) => ({
        scale: l.axis, stroke: colour(`--s${l.colour}`), width: 1.5, points: { show: false }, spanGaps: false,
        dash: l.axis === "second" ? [4, 3] : undefined,
      }))],
      plugins: [bands()],
      hooks: { setCursor: [(u) => tell(u.cursor.idx)] },
    };
    const plot = new uPlot(options, [[], ...chart.lines.map(() => [])], box);
    /** The figures under the cursor, or the newest that there are. */
    const tell = (at) => {
      const newest = (column) => column.slice(-4).findLast((v) => v != null);
      chart.lines.forEach((l, n) => {
        const column = plot.data[n + 1];
        outputs[n].textContent = show(unitOf(l), at == null ? newest(column) : column[at]);
      });
    };
    new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: 172 })).observe(box);
    return { chart, plot, tell };
  }

  // ---- Figures -----------------------------------------------------------------------------------

  let step = 1;
  let times = [];
  let columns = new Map();

  const ofLines = () => plots.flatMap((p) => p.chart.lines.flatMap((l) => l.names));
  const ofNodes = () => strips().map(heatOf);
  // So many are answered at once.
  const NAMES_MAX = 64;

  async function load() {
    const wanted = range;
    const all = [...new Set([...ofLines(), ...ofNodes()])];
    const from = Math.floor(Date.now() / 1000) - range;
    const parts = Array.from({ length: Math.ceil(all.length / NAMES_MAX) }, (_, n) => all.slice(n * NAMES_MAX, (n + 1) * NAMES_MAX));
    const answers = await Promise.all(parts.map((part) => fetch(`${base}/data/history?${new URLSearchParams({ names: part.join(","), from, to: from + range, points: 900 })}`)));
    if (answers.some((answer) => answer.status === 401)) return location.reload();
    const told = await Promise.all(answers.map((answer) => answer.json()));
    if (wanted !== range) return;
    step = told[0].step_s;
    // Of how nodes fared the worst of each step is shown.
    const shown = ([name, figure]) => [name, name.startsWith("node/") ? figure.peak : figure.mean];
    columns = new Map(told.flatMap((part) => Object.entries(part.figures).map(shown)));
    const length = columns.size ? columns.values().next().value.length : 0;
    times = Array.from({ length }, (_, n) => told[0].from_s + n * step);
    draw();
  }

  /** One second more, where seconds are drawn. */
  function append(second) {
    if (step !== 1 || !times.length) return;
    // The history's answer may end with a second that was not over then.
    const known = times.indexOf(second.time_s);
    if (known >= 0) {
      for (const [name, column] of columns) column[known] = second.figures[name] ?? null;
      return draw();
    }
    if (second.time_s < times[times.length - 1]) return;
    const first = second.time_s - range - 2;
    let old = 0;
    while (old < times.length && times[old] < first) old += 1;
    // A second that nobody saw is a gap and no line.
    if (second.time_s > times[times.length - 1] + 1) {
      times.push(times[times.length - 1] + 1);
      for (const column of columns.values()) column.push(null);
    }
    times.push(second.time_s);
    for (const [name, column] of columns) column.push(second.figures[name] ?? null);
    times.splice(0, old);
    for (const column of columns.values()) column.splice(0, old);
    draw();
  }

  function draw() {
    plots.end = times.length ? times[times.length - 1] : undefined;
    for (const { chart, plot, tell } of plots) {
      const data = chart.lines.map((l) => {
        const parts = l.names.map((name) => columns.get(name) ?? []);
        return times.map((_, n) => {
          const value = l.how(...parts.map((part) => part[n] ?? null));
          return chart.log && value === 0 ? null : value;
        });
      });
      plot.setData([times.slice(), ...data]);
      if (plot.cursor.idx == null || plot.cursor.left < 0) tell(null);
    }
    heat();
  }

  // ---- Nodes, side by side -----------------------------------------------------------------------

  const strips = () => [...document.querySelectorAll("[data-node]")];
  const heatOf = (strip) => `node/${strip.dataset.node}/heat`;

  /** One strip for each node, on the time axis of the graphs: how it fared, the worst of each step. */
  function heat() {
    const all = strips();
    if (!all.length || !times.length) return;
    const end = times[times.length - 1] + step;
    for (const strip of all) {
      const column = columns.get(heatOf(strip));
      // Who has joined since is drawn as the server drew it, until the next look.
      if (!column) continue;
      const svg = strip.querySelector("svg");
      svg.setAttribute("viewBox", `0 0 ${range} 8`);
      const runs = [];
      times.forEach((time, n) => {
        const kind = column[n];
        const last = runs[runs.length - 1];
        if (kind == null || time < end - range) return;
        if (last && last.kind === kind && last.to === time) last.to = time + step;
        else runs.push({ kind, from: time, to: time + step });
      });
      svg.replaceChildren(...runs.map(({ kind, from, to }) => {
        const rect = document.createElementNS(svg.namespaceURI, "rect");
        const x = from - (end - range);
        for (const [name, value] of Object.entries({ x, width: Math.max(to - from, range / 400), y: 0, height: 8, class: `heat${kind}` })) rect.setAttribute(name, value);
        return rect;
      }));
      const state = strip.previousElementSibling.querySelector(".chip").textContent;
      svg.setAttribute("aria-label", `${strip.dataset.node} over the last ${spoken()}; now ${state}`);
    }
    document.getElementById("over").textContent = `The last ${spoken()}`;
  }

  const spoken = () => document.querySelector('.ranges [aria-pressed="true"]').textContent;

  // ---- What the server sends ---------------------------------------------------------------------

  // Pieces that wait, since somebody selects or presses something where they belong.
  const waiting = new Map();
  let pressed = false;
  document.addEventListener("pointerdown", () => { pressed = true; });
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => { pressed = false; });
  setInterval(() => { for (const [id, html] of waiting) replace(id, html); }, 500);

  /** Puts a piece of the page in its place, and the keyboard back to where it was. */
  function replace(id, html) {
    const place = document.getElementById(id);
    if (!place) return;
    const selected = document.getSelection();
    if (pressed || (selected && !selected.isCollapsed && place.contains(selected.anchorNode))) return waiting.set(id, html);
    waiting.delete(id);
    const kept = place.contains(document.activeElement) ? document.activeElement.dataset.keep : null;
    place.innerHTML = html;
    if (kept) place.querySelector(`[data-keep="${CSS.escape(kept)}"]`)?.focus();
    if (id === "nodes") heat();
  }

  let heard = 0;
  function say(state) {
    live.dataset.state = state;
  }

  function follow() {
    const query = new URLSearchParams({ ...(tenant && { tenant }), ...(view && { view }) });
    const source = new EventSource(`${base}/live?${query}`);
    source.addEventListener("figures", (message) => {
      const second = JSON.parse(message.data);
      heard = Date.now();
      if (!second.time_s) return;
      say("live");
      document.getElementById("as-of").textContent = clock(second.time_s).slice(11, 19);
      append(second);
      timeline();
    });
    for (const part of ["fleet", "nodes", "nodes-events", "tiles", "rows", "verdict", "changes", "standing", "limits", "keys", "advice"]) {
      source.addEventListener(part, (message) => replace(part, message.data));
    }
    source.addEventListener("events", news);
    source.onerror = () => {
      say("lost");
      // A login that has ended does not come back by itself.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 3000);
    };
  }

  async function news() {
    const answer = await fetch(`${base}/data/events`);
    if (answer.ok) events = await answer.json();
    timeline();
    for (const { plot } of plots) plot.redraw(false);
  }

  // ---- Start -------------------------------------------------------------------------------------

  function rebuild() {
    for (const { plot } of plots) plot.destroy();
    plots = [...document.querySelectorAll("[data-chart]")].map(build);
    draw();
  }

  const ranges = document.querySelector(".ranges");
  ranges.hidden = false;
  ranges.addEventListener("click", (click) => {
    const chosen = Number(click.target.dataset?.range);
    if (!chosen) return;
    range = chosen;
    for (const button of ranges.children) button.setAttribute("aria-pressed", String(Number(button.dataset.range) === range));
    load();
    timeline();
  });
  document.addEventListener("themechange", rebuild);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", rebuild);
  setInterval(() => { if (Date.now() - heard > 5000) say("lost"); }, 1000);
  // What is not drawn by the second is asked for again when a new point is due.
  setInterval(() => { if (step > 1 && Date.now() / 1000 - (times[times.length - 1] ?? 0) > step + 5) load(); }, 5000);
  rebuild();
  load();
  news();
  follow();
})();
