// Filters and sorting for the ledger's tables. Without this script every row is shown.
"use strict";

document.querySelectorAll("table.ledger").forEach((table, place) => {
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const order = new Map(rows.map((row, at) => [row, at]));

  const choices = (name) => [...new Set(rows.map((row) => row.dataset[name]))].sort();
  const kinds = {
    C: "calibrates", P: "follows", Q: "qualitative", B: "by construction", M: "measured",
    X: "contradiction",
  };
  const figure = (chapter) => chapter.replace(/^fig0*/, "Fig ");

  const form = document.createElement("form");
  form.className = "ledger-filter";
  form.addEventListener("submit", (event) => event.preventDefault());

  const labelled = (text, control) => {
    const label = document.createElement("label");
    label.append(text + " ", control);
    form.append(label);
    return control;
  };
  const select = (text, name, wording) => {
    const control = document.createElement("select");
    control.append(new Option("all", ""));
    for (const choice of choices(name)) control.append(new Option(wording(choice), choice));
    return labelled(text, control);
  };
  const selects = {
    verdict: select("verdict", "verdict", (choice) => choice),
    kind: select("kind", "kind", (choice) => choice + " " + kinds[choice]),
    chapter: select("chapter", "chapter", figure),
  };
  const search = document.createElement("input");
  search.type = "search";
  labelled("text", search);
  const clear = document.createElement("button");
  clear.type = "button";
  clear.textContent = "show all";
  const count = document.createElement("output");
  count.setAttribute("aria-live", "polite");
  form.append(clear, count);

  const filter = () => {
    const text = search.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const fits = Object.entries(selects).every(
        ([name, control]) => !control.value || row.dataset[name] === control.value);
      row.hidden = !(fits && row.textContent.toLowerCase().includes(text));
      shown += !row.hidden;
    }
    count.textContent = `${shown} of ${rows.length}`;
  };
  const reset = () => {
    for (const control of Object.values(selects)) control.value = "";
    search.value = "";
    filter();
  };
  form.addEventListener("input", filter);
  clear.addEventListener("click", reset);

  // A link to a verdict filters by it; a link to a row that is filtered away shows it again.
  const follow = () => {
    const target = decodeURIComponent(location.hash.slice(1));
    const verdict = target.replace(/^verdict-/, "").replaceAll("-", " ");
    if (target.startsWith("verdict-") && choices("verdict").includes(verdict)) {
      reset();
      selects.verdict.value = verdict;
      filter();
      if (place === 0) form.scrollIntoView();
      return;
    }
    const row = rows.find((candidate) => candidate.id === target);
    if (!row) return;
    if (row.hidden) reset();
    row.querySelector("details").open = true;
    row.scrollIntoView({ block: "center" });
  };

  const heads = [...table.tHead.rows[0].cells];
  const value = (row, column) => {
    if (heads[column].textContent === "residual") {
      return row.dataset.residual === "" ? -1 : Number(row.dataset.residual);
    }
    const text = row.cells[column].textContent;
    return column === 2 || column === 3 ? parseFloat(text.replace(/[^\d.eE+-]/, "")) : text;
  };
  const compare = (a, b) => {
    if (typeof a === "string") return a.localeCompare(b);
    if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
    return a - b;
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const after = { ascending: "descending", descending: null }[before] ?? (
        before ? null : "ascending");
      for (const other of heads) other.removeAttribute("aria-sort");
      const direction = after === "descending" ? -1 : 1;
      if (after) head.setAttribute("aria-sort", after);
      body.append(...[...rows].sort((a, b) =>
        (after && direction * compare(value(a, column), value(b, column))) ||
        order.get(a) - order.get(b)));
    });
  });

  table.closest(".ledger-frame").before(form);
  filter();
  addEventListener("hashchange", follow);
  follow();
});
