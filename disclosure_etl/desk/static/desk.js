// What the pages do beside their links and forms, which work without it: marking many at once, keys, and the form's word for htmx.
"use strict";

document.addEventListener("change", (event) => {
  const all = event.target.closest("[data-marks]");
  if (!all) return;
  for (const box of document.querySelectorAll(`input[type=checkbox][name="${all.dataset.marks}"]`)) box.checked = all.checked;
});

// j and k go through the rows of a list, or on to the next and the previous of what a page shows one of; / goes to the search;
// nothing of it while somebody writes.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    if (search) { event.preventDefault(); search.focus(); }
    return;
  }
  if (event.key !== "j" && event.key !== "k") return;
  const links = [...document.querySelectorAll("[data-rows] a[data-row], table.matrix tbody th a")];
  if (!links.length) {
    document.querySelector(event.key === "j" ? "a[rel=next][data-key]" : "a[rel=prev][data-key]")?.click();
    return;
  }
  const at = links.indexOf(document.activeElement);
  links[Math.max(0, Math.min(links.length - 1, at + (event.key === "j" ? 1 : -1)))].focus();
});
