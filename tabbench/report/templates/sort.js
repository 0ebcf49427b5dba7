
for (const table of document.querySelectorAll("table.map")) {
  table.querySelectorAll("thead button").forEach((button, column) => button.addEventListener("click", () => {
    const heading = button.closest("th"), isDescending = heading.getAttribute("aria-sort") === "ascending";
    table.querySelectorAll("thead th").forEach(each => each.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
    const key = row => row.children[column].dataset.value ?? row.children[column].textContent;
    const order = (first, second) => key(first) - key(second) || String(key(first)).localeCompare(key(second));
    const rows = [...table.tBodies[0].rows].sort(order);
    table.tBodies[0].append(...(isDescending ? rows.reverse() : rows));
  }));
}
