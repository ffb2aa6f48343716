// Code, tables and formulas that are wider than the page can be scrolled by keys, too: they take the focus.
document.addEventListener("DOMContentLoaded", () => {
  const mend = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  document.querySelectorAll("pre, .table-wrapper, div.math").forEach((element) => mend.observe(element));
});
