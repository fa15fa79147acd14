// Makes the single page of the book ready for print.
(async () => {
  const article = document.querySelector("article.bd-article");

  // Links within the book stay within the PDF; links to files beside the pages lead nowhere from it.
  const here = location.href.split("#")[0];
  for (const link of document.querySelectorAll("a[href]")) {
    const [address, place] = link.href.split("#");
    if (address === here && place && document.getElementById(decodeURIComponent(place))) {
      link.setAttribute("href", "#" + place);
    } else if (!/^(https?|mailto):/.test(link.href)) {
      link.replaceWith(...link.childNodes);
    }
  }

  // A list of the chapters after the first picture, as the pages begin.
  const contents = document.createElement("ol");
  contents.className = "printed-contents";
  for (const chapter of article.querySelectorAll(".toctree-wrapper > section")) {
    chapter.classList.add("printed-chapter");
    const start = chapter.previousElementSibling;
    const link = document.createElement("a");
    link.href = "#" + start.id;
    link.textContent = chapter.querySelector("h2").firstChild.textContent;
    const part = start.previousElementSibling;
    if (part && part.matches(".caption")) contents.append(part);
    const item = document.createElement("li");
    item.append(link);
    contents.append(item);
  }
  (article.querySelector(".cell:has(figure)") ?? article.querySelector("h1")).after(contents);

  // A folded explorer has no size; once open it draws on the frames that follow.
  for (const fold of document.querySelectorAll("details.qd-fold")) fold.open = true;
  for (let i = 0; i < 4; i++) await new Promise(requestAnimationFrame);
})();
