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

// What a link leads to stands in its title; shown at once, to the keyboard too, and typeset.
addEventListener("DOMContentLoaded", () => {
  const box = document.createElement("div");
  box.className = "preview";
  box.id = "preview";
  box.role = "tooltip";
  box.hidden = true;
  document.body.append(box);
  let waiting;
  const hide = () => {
    clearTimeout(waiting);
    box.hidden = true;
  };
  const show = (link) => {
    box.innerHTML = "";
    link.dataset.preview.split(/(?<=\p{L})_(\w+)/u).forEach((piece, i) => {
      if (i % 2) box.append(Object.assign(document.createElement("sub"), { textContent: piece }));
      else box.append(piece);
    });
    box.hidden = false;
    const { left, top, bottom } = link.getBoundingClientRect();
    const below = bottom + box.offsetHeight + 8 < innerHeight;
    box.style.left = `${Math.max(8, Math.min(left, innerWidth - box.offsetWidth - 8))}px`;
    box.style.top = `${below ? bottom + 6 : Math.max(8, top - box.offsetHeight - 6)}px`;
  };
  for (const link of document.querySelectorAll("article a.reference.internal[title]")) {
    link.dataset.preview = link.title;
    link.removeAttribute("title");
    link.setAttribute("aria-describedby", "preview");
    link.addEventListener("pointerenter", ({ pointerType }) => {
      if (pointerType === "mouse") waiting = setTimeout(show, 250, link);
    });
    link.addEventListener("focus", () => link.matches(":focus-visible") && show(link));
    for (const end of ["pointerleave", "blur", "click"]) link.addEventListener(end, hide);
  }
  addEventListener("keydown", ({ key }) => key === "Escape" && hide());
  addEventListener("scroll", hide, { passive: true });
});
