"use strict";
// Tables that are sorted by a click on a heading and filtered by a field below it: numbers by
// 0.1, <5, >=0.01; texts by a part of them.
for (const box of document.querySelectorAll(".explored")) {
  const table = box.querySelector("table");
  const headings = [...table.querySelectorAll("thead th")];
  const body = table.tBodies[0];
  const number = (text) => (/\d/.test(text) ? parseFloat(text.replaceAll(",", "")) : NaN);
  const rows = [...body.rows].map((row) => ({ row, texts: [...row.cells].map((cell) => cell.textContent) }));
  const numeric = headings.map((_, i) =>
    rows.some(({ texts }) => !Number.isNaN(number(texts[i]))) &&
    rows.every(({ texts }) => /^-?[\d,.]+(e[+-]?\d+)?( ± \S+)?$|^(none|undefined|)$/.test(texts[i])));
  const status = document.createElement("p");
  status.className = "count";
  status.setAttribute("role", "status");
  box.before(status);

  function sort(i) {
    const descending = headings[i].getAttribute("aria-sort") === "ascending";
    for (const heading of headings) heading.removeAttribute("aria-sort");
    headings[i].setAttribute("aria-sort", descending ? "descending" : "ascending");
    const sign = descending ? -1 : 1;
    const of = ({ texts }) => (numeric[i] ? number(texts[i]) : texts[i]);
    rows.sort((one, other) => {
      const [a, b] = [of(one), of(other)];
      // What has no number comes last, whichever way.
      if (numeric[i]) return Number.isNaN(a) - Number.isNaN(b) || sign * (a - b) || 0;
      return sign * a.localeCompare(b, "en", { numeric: true });
    });
    body.append(...rows.map(({ row }) => row));
  }

  function matches(text, wanted, isNumber) {
    const told = wanted.match(/^(<=|>=|<|>|=)?\s*(-?[\d.]+(?:e[+-]?\d+)?)$/);
    if (!isNumber || !told) return text.toLowerCase().includes(wanted.toLowerCase());
    const [value, limit] = [number(text), parseFloat(told[2])];
    return { "<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit }[told[1]] ?? value === limit;
  }

  function filter() {
    let shown = 0;
    for (const { row, texts } of rows) {
      row.hidden = !fields.every((field, i) => !field.value.trim() || matches(texts[i], field.value.trim(), numeric[i]));
      shown += !row.hidden;
    }
    status.textContent = `${shown} of ${rows.length} rows`;
  }

  const line = table.tHead.insertRow();
  const fields = headings.map((heading, i) => {
    const name = heading.textContent;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => sort(i));
    heading.replaceChildren(button);
    const field = document.createElement("input");
    field.setAttribute("aria-label", `filter ${name}`);
    field.placeholder = numeric[i] ? "<, >, =" : "part";
    field.addEventListener("input", filter);
    line.insertCell().append(field);
    return field;
  });
  filter();
}
