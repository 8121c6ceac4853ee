"use strict";
// A click on a heading sorts the table by its column; another one turns the order round. What is unknown stays last.

const valueOf = (row, column) => {
  const cell = row.cells[column];
  const text = cell.dataset.value ?? cell.textContent.trim();
  return text === "–" ? "" : text.replace(/(\d),(?=\d{3})/g, "$1");
};

const compare = (one, other) => {
  const [first, second] = [Number(one), Number(other)];
  return Number.isNaN(first - second) ? one.localeCompare(other, "en", { numeric: true }) : first - second;
};

const sort = (table, column, sign) => {
  const body = table.tBodies[0];
  const rows = [...body.rows].map(row => [valueOf(row, column), row]);
  rows.sort(([one], [other]) => !one - !other || sign * compare(one, other));
  body.append(...rows.map(([, row]) => row));
};

for (const table of document.querySelectorAll("table.sortable")) {
  const headings = [...table.tHead.rows[0].cells];
  for (const [column, heading] of headings.entries()) {
    if (!heading.textContent) continue;
    const button = document.createElement("button");
    button.append(...heading.childNodes);
    button.title = "Sort by this column";
    heading.append(button);
    button.addEventListener("click", () => {
      const again = heading.getAttribute("aria-sort");
      const first = heading.dataset.sort === "descending" ? -1 : 1;
      const sign = again ? (again === "ascending" ? -1 : 1) : first;
      headings.forEach(other => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      sort(table, column, sign);
    });
  }
}
