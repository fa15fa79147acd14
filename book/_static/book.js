// Every page of the book. Without this script a page is whole; with it the keyboard reaches more.
"use strict";

// Summaries of what was found are fetched, which a browser refuses to pages opened as files.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// A figure or a table that is wider than the screen can be moved by the arrow keys.
addEventListener("DOMContentLoaded", () => {
  const reach = (frame) => {
    const wide = frame.scrollWidth > frame.clientWidth;
    const number = frame.closest("figure")?.querySelector(".caption-number");
    const kind = frame.matches(".text-table") ? "Table" : "Figure";
    for (const [name, value] of Object.entries({
      "aria-label": `${number ? number.textContent.trim() : kind} wider than the screen`,
      role: "region",
      tabindex: "0",
    })) {
      if (wide) frame.setAttribute(name, value);
      else frame.removeAttribute(name);
    }
  };
  const watched = new ResizeObserver((entries) => entries.forEach((entry) => reach(entry.target)));
  for (const frame of document.querySelectorAll(".figure-frame, .text-table")) {
    watched.observe(frame);
    frame.firstElementChild.addEventListener("load", () => reach(frame));
  }
});

// "Open large" shows a figure as wide as the window; without this script it is a link to the picture.
addEventListener("DOMContentLoaded", () => {
  const box = document.createElement("dialog");
  box.className = "lightbox";
  const open = (event, link) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || !box.showModal) return;
    event.preventDefault();
    const image = document.createElement("img");
    image.src = link.href;
    image.alt = link.closest("figure")?.querySelector("img")?.alt ?? "";
    const close = document.createElement("button");
    close.textContent = "Close";
    box.replaceChildren(close, image);
    if (!box.isConnected) document.body.append(box);
    box.showModal();
  };
  // Wherever it is clicked; the escape key closes a dialog by itself.
  box.addEventListener("click", () => box.close());
  for (const link of document.querySelectorAll(".figure-notes > a")) {
    link.addEventListener("click", (event) => open(event, link));
    const image = link.closest("figure")?.querySelector(".figure-frame img");
    image?.addEventListener("click", (event) => open(event, link));
    image?.classList.add("opens");
  }
});
