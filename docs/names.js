// Names and roles that readers of screens need and the theme does not give.
const repair = () => {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
  // Buttons of a block of code and headings within a page are no regions, and several share a name.
  for (const part of document.querySelectorAll("nav.md-code__nav:not([role]), .md-nav .md-nav[aria-label]")) {
    part.removeAttribute("aria-label");
    part.setAttribute("role", "none");
  }
  // A corner of a table without a word is no heading.
  for (const corner of document.querySelectorAll("th:empty")) corner.replaceWith(document.createElement("td"));
};
new MutationObserver(repair).observe(document.documentElement, { childList: true, subtree: true });
