"use strict";
// What the events have told so far: run.json, and the lines of each metrics.csv by the number of its training.
let run = {}, tables = new Map(), programOf = null;
const element = (id) => document.getElementById(id);
const word = document.querySelector("meta[name=nnc-word]").content;

const text = (value) => {
    const number = Number(value);
    if (value === "" || Number.isNaN(number)) return value ?? "";
    if (Number.isInteger(number)) return String(number);
    const size = Math.abs(number);
    return size >= 1e-3 && size < 1e5 ? String(Number(number.toPrecision(4))) : number.toExponential(3);
};

function showRun() {
    const running = run.result === "running";
    const state = running && run.state === "paused" ? "paused" : run.result;
    element("name").textContent = document.title = run.folder ?? "";
    element("state").textContent = state;
    element("state").className = `state ${state}`;
    element("pause").disabled = !running || state === "paused";
    element("go").disabled = state !== "paused";
    for (const id of ["stop", "rate", "set"]) element(id).disabled = !running;
    const refused = run.refused ? `not taken: ${run.refused}` : "";
    if (refused) element("said").textContent = refused;
    const rows = [["command", (run.command ?? []).join(" ")], ["program", run.program], ["seed", run.seed],
        ["floats", run.precision], ["version of nnc", run.nnc], ["begun", run.started]];
    for (const [path, file] of Object.entries(run.data ?? {})) rows.push([`data ${path}`, `SHA-256 ${file.sha256 ?? "not taken"}`]);
    for (const [key, value] of Object.entries(run.machine ?? {})) rows.push([`machine: ${key}`, value]);
    for (const change of run.changes ?? []) rows.push([`up to step ${change.until}`, change.program]);
    fill(element("origin"), rows.filter((row) => row[1] !== undefined && row[1] !== null));
    const version = run.program_sha256 ?? "";
    if (version !== programOf) {
        programOf = version;
        fetch("/program").then((answer) => answer.text()).then((program) => { element("program").textContent = program; });
    }
}

function fill(table, rows) {
    table.replaceChildren(...rows.map((cells) => {
        const row = document.createElement("tr");
        row.append(...cells.map((cell) => {
            const item = document.createElement("td");
            item.textContent = cell;
            return item;
        }));
        return row;
    }));
}

// The columns of a training: names, and numbers by name.
function columns(lines) {
    const rows = lines.map((line) => line.split(","));
    const names = rows.shift() ?? [];
    return { names, of: (name) => { const at = names.indexOf(name); return rows.map((row) => row[at] === "" ? NaN : Number(row[at])); } };
}

function showMetrics() {
    const training = Math.max(...tables.keys());
    const { names, of } = columns(tables.get(training));
    const last = (name) => of(name).at(-1);
    element("progress").textContent = `epoch ${last("epoch")}, step ${last("step")}, ${text(last("seconds"))} s`
        + (tables.size > 1 ? `, training ${training}` : "");
    const plain = names.slice(3).filter((name) => !name.startsWith("validation "));
    const held = (name) => names.includes(`validation ${name}`) ? text(last(`validation ${name}`)) : "";
    fill(element("scores"), [["", "training", "validation"], ...plain.map((name) => [name, text(last(name)), held(name)])]);
    const figures = [];
    for (const [number, lines] of [...tables].sort((a, b) => a[0] - b[0])) {
        const { names, of } = columns(lines);
        for (const name of names.slice(3).filter((name) => !name.startsWith("validation "))) {
            const title = tables.size > 1 ? `${name}, training ${number}` : name;
            const curves = [["training", of(name)]];
            if (names.includes(`validation ${name}`)) curves.push(["validation", of(`validation ${name}`)]);
            const changes = (run.changes ?? []).filter((change) => change.training + 1 === number).map((change) => change.until);
            figures.push(figure(title, of("epoch"), curves, changes.map((step) => epochAt(of("step"), of("epoch"), step))));
        }
    }
    element("curves").replaceChildren(...figures);
}

const epochAt = (steps, epochs, step) => epochs[Math.max(0, steps.findIndex((end) => end >= step))] ?? epochs.at(-1);

function figure(title, x, curves, marks) {
    const width = 460, height = 240, left = 56, bottom = 28, top = 8, right = 8;
    const all = curves.flatMap(([, y]) => y).filter(Number.isFinite);
    let [low, high] = all.length ? [Math.min(...all), Math.max(...all)] : [0, 1];
    if (low === high) [low, high] = [low - 0.5, high + 0.5];
    const [first, end] = [x[0] ?? 0, Math.max(x.at(-1) ?? 1, (x[0] ?? 0) + 1)];
    const across = (value) => left + (value - first) / (end - first) * (width - left - right);
    // What falls by a hundredth and more is seen by its powers of ten.
    const isWide = low > 0 && high > 100 * low;
    const scale = isWide ? Math.log : (value) => value;
    const up = (value) => height - bottom - (scale(value) - scale(low)) / (scale(high) - scale(low)) * (height - bottom - top);
    const parts = [];
    const add = (name, attributes, content) => {
        const part = document.createElementNS("http://www.w3.org/2000/svg", name);
        for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
        if (content !== undefined) part.textContent = content;
        parts.push(part);
    };
    for (let at = 0; at <= 4; at++) {
        const value = isWide ? low * (high / low) ** (at / 4) : low + (high - low) * at / 4;
        add("line", { class: "grid", x1: left, x2: width - right, y1: up(value), y2: up(value) });
        add("text", { x: left - 6, y: up(value) + 4, "text-anchor": "end" }, text(Number(value.toPrecision(3))));
        const epoch = Math.round(first + (end - first) * at / 4);
        if (at === 0 || epoch !== Math.round(first + (end - first) * (at - 1) / 4)) {
            add("text", { x: across(epoch), y: height - 10, "text-anchor": at === 4 ? "end" : "middle" }, epoch);
        }
    }
    for (const mark of marks) add("line", { class: "change", x1: across(mark), x2: across(mark), y1: top, y2: height - bottom });
    curves.forEach(([name, y], number) => {
        const points = y.map((value, at) => [across(x[at]), up(value)]).filter((point) => point.every(Number.isFinite));
        add("path", { class: name, d: points.map((point, at) => `${at ? "L" : "M"}${point[0].toFixed(1)} ${point[1].toFixed(1)}`).join("") });
        add("line", { class: name, x1: width - 110, x2: width - 86, y1: top + 10 + 15 * number, y2: top + 10 + 15 * number });
        add("text", { x: width - 82, y: top + 14 + 15 * number }, name);
    });
    add("path", { class: "axis", d: `M${left} ${top}V${height - bottom}H${width - right}` });
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", title);
    svg.append(...parts);
    const made = document.createElement("figure"), caption = document.createElement("figcaption");
    caption.textContent = title;
    made.append(caption, svg);
    return made;
}

async function ask(what) {
    element("said").textContent = "…";
    try {
        const answer = await fetch("/ask", { method: "POST", headers: { "X-Nnc-Word": word }, body: JSON.stringify(what) });
        element("said").textContent = answer.ok ? "" : await answer.text();
    } catch { element("said").textContent = "nnc watch does not answer"; }
}

element("pause").onclick = () => ask({ ask: "pause" });
element("go").onclick = () => ask({ ask: "go on" });
element("stop").onclick = () => { if (confirm("End this training? What was learnt is kept.")) ask({ ask: "stop" }); };
element("set").onclick = () => ask({ ask: "rate", value: element("rate").value });

// Many rows may come at once: they are drawn once.
let isDue = false;
const draw = () => { isDue = false; if (tables.size) showMetrics(); };
const news = new EventSource("/events");
news.addEventListener("run", (event) => { run = JSON.parse(event.data); showRun(); });
news.addEventListener("metrics", (event) => {
    const { training, keep, rows } = JSON.parse(event.data);
    const lines = rows.split("\n").filter((line) => line !== "");
    tables.set(training, [...(tables.get(training) ?? []).slice(0, keep), ...lines]);
    if (!isDue) { isDue = true; requestAnimationFrame(draw); }
});
news.addEventListener("pictures", (event) => {
    const list = JSON.parse(event.data);
    element("drawn").hidden = list.length === 0;
    element("pictures").replaceChildren(...list.map(({ name, version }) => {
        const picture = document.createElement("img");
        picture.src = `/pictures/${encodeURIComponent(name)}?${version}`;
        picture.alt = name;
        return picture;
    }));
});
news.onerror = () => { element("state").textContent = "nnc watch has ended"; element("state").className = "state lost"; };
news.onopen = () => { tables = new Map(); programOf = null; };
