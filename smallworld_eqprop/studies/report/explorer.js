"use strict";
// A scatter of any column of a table against any other: about as much code as needed to load one
// of the large plotting libraries, which are 1 to 4 MB in every page.
//
// The table, as JSON in #explorer-data:
//   columns  [{key, label, group: "setting" | "metric" | "outcome", text: bool}]
//   rows     [[value or null, ...]], one per run
//   setting  number of the setting of every run: runs that differ in their seed only share one
//   colour   keys to colour by;  tell  keys that a tooltip names
//   start    {x, y, colour}
(() => {
  const table = JSON.parse(document.getElementById("explorer-data").textContent);
  const box = document.getElementById("explorer");
  const form = box.querySelector("form").elements;
  const svg = box.querySelector("svg");
  const tip = box.querySelector(".tip");
  const place = new Map(table.columns.map((column, i) => [column.key, i]));
  const PALETTE = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8c8c8c"];
  // viridis without its ends, which vanish on black and on white.
  const SCALE = [[72, 60, 137], [46, 110, 142], [33, 155, 135], [92, 200, 99], [200, 215, 60]];
  const GROUPS = { metric: "Metrics of the graph", setting: "Settings", outcome: "Outcomes" };
  let points = [];
  let chosen = -1;

  const column = (key) => table.columns[place.get(key)];
  const values = (key) => table.rows.map((row) => row[place.get(key)]);

  function text(value) {
    if (value === null) return "none";
    if (typeof value !== "number") return String(value);
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2);
    return String(Number(value.toPrecision(4)));
  }

  function element(name, attributes, content) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (content !== undefined) made.textContent = content;
    return made;
  }

  function fill(select, groups, allowed) {
    for (const group of groups) {
      const keys = allowed.filter((key) => column(key).group === group);
      if (!keys.length) continue;
      const part = document.createElement("optgroup");
      part.label = GROUPS[group];
      for (const key of keys) part.append(new Option(column(key).label, key));
      select.append(part);
    }
  }

  // Ranks from 1, ties at their mean: Spearman's coefficient is Pearson's of these.
  function ranks(list) {
    const order = list.map((_, i) => i).sort((a, b) => list[a] - list[b]);
    const found = new Array(list.length);
    for (let i = 0; i < order.length; ) {
      let j = i;
      while (j < order.length && list[order[j]] === list[order[i]]) j++;
      for (let k = i; k < j; k++) found[order[k]] = (i + j + 1) / 2;
      i = j;
    }
    return found;
  }

  // Seeds of one setting are no evidence of their own: means over the runs of every setting.
  function means(list, shown) {
    const sums = new Map();
    for (const i of shown) {
      const [sum, n] = sums.get(table.setting[i]) ?? [0, 0];
      sums.set(table.setting[i], [sum + list[i], n + 1]);
    }
    return [...sums.values()].map(([sum, n]) => sum / n);
  }

  const count = (n, noun) => `${n} ${noun}${n === 1 ? "" : "s"}`;

  function spearman(xs, ys) {
    const [a, b] = [ranks(xs), ranks(ys)];
    const middle = (a.length + 1) / 2;
    let [ab, aa, bb] = [0, 0, 0];
    for (let i = 0; i < a.length; i++) {
      ab += (a[i] - middle) * (b[i] - middle);
      aa += (a[i] - middle) ** 2;
      bb += (b[i] - middle) ** 2;
    }
    return aa && bb ? ab / Math.sqrt(aa * bb) : NaN;
  }

  function axis(list, logarithmic, from, to, apart) {
    const turn = logarithmic ? Math.log10 : (value) => value;
    let [low, high] = [Math.min(...list.map(turn)), Math.max(...list.map(turn))];
    if (!(high > low)) [low, high] = [low - 0.5, high + 0.5];
    const margin = 0.04 * (high - low);
    [low, high] = [low - margin, high + margin];
    const put = (value) => from + ((turn(value) - low) / (high - low)) * (to - from);
    let ticks = [];
    if (logarithmic) {
      for (let e = Math.floor(low); e <= high; e++)
        for (const m of high - low < 2.5 ? [1, 2, 5] : [1]) ticks.push(m * 10 ** e);
      ticks = ticks.filter((value) => turn(value) >= low && turn(value) <= high);
    }
    if (ticks.length < 2) {
      const [least, most] = logarithmic ? [10 ** low, 10 ** high] : [low, high];
      const rough = (most - least) / Math.max(2, Math.abs(to - from) / apart);
      const unit = 10 ** Math.floor(Math.log10(rough));
      const step = unit * [1, 2, 5, 10].find((factor) => factor * unit >= rough);
      ticks = [];
      for (let i = Math.ceil(least / step); i * step <= most; i++) ticks.push(i * step);
    }
    return { put, ticks };
  }

  function colouring(key) {
    const present = [...new Set(values(key))];
    const numbers = present.filter((value) => typeof value === "number").sort((a, b) => a - b);
    if (column(key).text) {
      const of = new Map(present.map((value, i) => [value, PALETTE[i % PALETTE.length]]));
      return { of: (value) => of.get(value), legend: present };
    }
    // By rank, so that values that grow tenfold are told apart too.
    const rank = new Map(numbers.map((value, i) => [value, i / Math.max(1, numbers.length - 1)]));
    const of = (value) => {
      if (!rank.has(value)) return PALETTE[6];
      const at = rank.get(value) * (SCALE.length - 1);
      const [i, part] = [Math.min(SCALE.length - 2, Math.floor(at)), at % 1];
      const share = at === SCALE.length - 1 ? 1 : part;
      return `rgb(${SCALE[i].map((c, k) => Math.round(c + share * (SCALE[i + 1][k] - c)))})`;
    };
    const every = Math.ceil(numbers.length / 10);
    return { of, legend: numbers.filter((_, i) => i % every === 0 || i === numbers.length - 1) };
  }

  function draw() {
    const [x, y, colour] = [form.x.value, form.y.value, form.colour.value];
    const [xs, ys] = [values(x), values(y)];
    const shown = table.rows.map((_, i) => i).filter((i) => xs[i] !== null && ys[i] !== null);
    for (const [name, list] of [["logx", xs], ["logy", ys]]) {
      form[name].disabled = !shown.length || shown.some((i) => list[i] <= 0);
      if (form[name].disabled) form[name].checked = false;
    }
    const width = Math.max(280, box.clientWidth);
    const height = Math.round(Math.min(560, Math.max(300, 0.56 * width)));
    const [left, right, top, bottom] = [62, 12, 30, 46];
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("height", height);
    svg.replaceChildren();
    hide();
    const [nameX, nameY] = [column(x).label, column(y).label];
    const [meansX, meansY] = [means(xs, shown), means(ys, shown)];
    const relation = spearman(meansX, meansY);
    const of = `${count(meansX.length, "setting")} (${count(shown.length, "run")})`;
    const told = Number.isNaN(relation)
      ? of
      : `Spearman's rank correlation ${relation.toFixed(2).replace("-", "−")} over ${of}`;
    box.querySelector(".relation").textContent = told;
    svg.setAttribute("aria-label", `Scatter of ${nameY} against ${nameX}. ${told}. Arrow keys go from run to run.`);
    const across = axis(shown.map((i) => xs[i]), form.logx.checked, left, width - right, 90);
    const up = axis(shown.map((i) => ys[i]), form.logy.checked, height - bottom, top, 45);
    if (shown.length) {
      for (const tick of across.ticks) {
        const at = across.put(tick);
        svg.append(element("path", { class: "axis", d: `M${at} ${top}V${height - bottom}` }));
        svg.append(element("text", { x: at, y: height - bottom + 18, "text-anchor": "middle" }, text(tick)));
      }
      for (const tick of up.ticks) {
        const at = up.put(tick);
        svg.append(element("path", { class: "axis", d: `M${left} ${at}H${width - right}` }));
        svg.append(element("text", { x: left - 8, y: at + 4, "text-anchor": "end" }, text(tick)));
      }
    }
    svg.append(element("text", { class: "name", x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" }, nameX));
    svg.append(element("text", { class: "name", x: 0, y: 14 }, nameY));
    const paint = colouring(colour);
    points = shown
      .map((i) => ({ i, x: across.put(xs[i]), y: up.put(ys[i]) }))
      .sort((a, b) => a.x - b.x || a.y - b.y);
    for (const point of points) {
      const fillOf = paint.of(table.rows[point.i][place.get(colour)]);
      point.mark = element("circle", { cx: point.x.toFixed(1), cy: point.y.toFixed(1), r: 5, fill: fillOf });
      svg.append(point.mark);
    }
    box.querySelector(".legend").replaceChildren(
      ...paint.legend.map((value) => {
        const entry = document.createElement("li");
        const swatch = document.createElement("i");
        swatch.style.background = paint.of(value);
        entry.append(swatch, text(value));
        return entry;
      }),
    );
  }

  function hide() {
    if (points[chosen]) points[chosen].mark.classList.remove("chosen");
    chosen = -1;
    tip.hidden = true;
  }

  function choose(index) {
    if (index === chosen) return;
    hide();
    if (!points[index]) return;
    chosen = index;
    const point = points[index];
    point.mark.classList.add("chosen");
    const keys = new Set([...table.tell, form.colour.value, form.x.value, form.y.value]);
    tip.replaceChildren(
      ...[...keys].map((key) => {
        const line = document.createElement("div");
        line.textContent = `${column(key).label}: ${text(table.rows[point.i][place.get(key)])}`;
        return line;
      }),
    );
    tip.hidden = false;
    const width = svg.clientWidth;
    const left = point.x + 14 + tip.offsetWidth < width ? point.x + 14 : point.x - 14 - tip.offsetWidth;
    tip.style.left = `${Math.max(0, Math.min(left, width - tip.offsetWidth))}px`;
    tip.style.top = `${Math.max(0, point.y - tip.offsetHeight - 10)}px`;
  }

  function nearest(event) {
    const frame = svg.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    let [best, distance] = [-1, 24];
    points.forEach((point, i) => {
      const away = Math.hypot(point.x - x, point.y - y);
      if (away < distance) [best, distance] = [i, away];
    });
    choose(best);
  }

  // What is shown stands in the address, so that it can be kept and sent.
  function read() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    for (const name of ["x", "y", "colour"]) {
      const value = wanted.get(name) ?? table.start[name];
      form[name].value = [...form[name].options].some((o) => o.value === value) ? value : table.start[name];
    }
    for (const name of ["logx", "logy"]) form[name].checked = wanted.get(name) === "1";
    draw();
  }

  function write() {
    draw();
    const now = { x: form.x.value, y: form.y.value, colour: form.colour.value };
    for (const name of ["logx", "logy"]) if (form[name].checked) now[name] = "1";
    history.replaceState(null, "", `#${new URLSearchParams(now)}`);
  }

  const numeric = table.columns.filter((c) => !c.text).map((c) => c.key);
  fill(form.x, ["metric", "setting", "outcome"], numeric);
  fill(form.y, ["outcome", "metric", "setting"], numeric);
  fill(form.colour, ["setting"], table.colour);
  box.querySelector("form").addEventListener("change", write);
  svg.addEventListener("pointermove", nearest);
  svg.addEventListener("pointerdown", nearest);
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") hide();
    if (!step || !points.length) return;
    event.preventDefault();
    choose(chosen < 0 ? 0 : (chosen + step + points.length) % points.length);
  });
  addEventListener("hashchange", read);
  let width = 0;
  new ResizeObserver(() => {
    if (box.clientWidth !== width) draw();
    width = box.clientWidth;
  }).observe(box);
  read();
})();
