/** What the explorer's page is put together from: elements, text, files. */
"use strict";

globalThis.qdgainParts = (() => {
  /** An element with attributes and children; null and false leave an attribute out. */
  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "on") {
        for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
      } else if (value !== null && value !== false) {
        made.setAttribute(name, value === true ? "" : value);
      }
    }
    made.append(...children);
    return made;
  }

  const button = (text, act, attributes) =>
    element("button", { type: "button", on: { click: act }, ...attributes }, text);

  /** Text with its subscripts set: A_XX2 as A with the subscript XX2. */
  const typeset = (text) => text.split(/(?<=\p{L})_([\p{L}\p{N}]+)/u).map(
    (part, i) => (i % 2 ? element("sub", {}, part) : part));

  /** Change a text only if it differs: the browser styles again what is touched. */
  function write(target, text) {
    if (target.dataset.text === text) return;
    target.dataset.text = text;
    target.replaceChildren(...typeset(text));
  }

  /** Hand a file to the reader. */
  function save(name, content, type) {
    const address = URL.createObjectURL(new Blob([content], { type }));
    const link = element("a", { href: address, download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }

  /** A button that copies what it is given, or does otherwise, and says for a while which. */
  function copyButton(text, content, otherwise, attributes) {
    const made = button(text, async () => {
      let said = "copied";
      try {
        const given = await content();
        if (typeof given === "string") await navigator.clipboard.writeText(given);
        else await navigator.clipboard.write([new ClipboardItem({ [given.type]: given })]);
      } catch {
        said = await otherwise();
      }
      made.textContent = said;
      setTimeout(() => { made.textContent = text; }, 1500);
    }, attributes);
    return made;
  }

  /** A word as a shell takes it. */
  const shellWord = (text) =>
    (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

  return { button, copyButton, element, save, shellWord, write };
})();
