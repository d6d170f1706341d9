/**
 * Makes an element look like another one with as few changes as possible, so that focus, selection,
 * scroll positions and what somebody typed stay. Children with an id are matched by it.
 */
export function morph(old, wanted) {
  if (old.isEqualNode(wanted)) return;
  if (old.nodeType !== wanted.nodeType || old.nodeName !== wanted.nodeName) {
    old.replaceWith(wanted);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = wanted.nodeValue;
    return;
  }
  if (isLeftAlone(old)) return;
  morphAttributes(old, wanted);
  morphChildren(old, wanted);
}

/** What the viewer is at work on, and what a script of ours has drawn. */
function isLeftAlone(element) {
  return element.dataset.keep !== undefined && element.dataset.keep !== "attributes" ||
    element === document.activeElement && element.matches("input, textarea, select");
}

function morphAttributes(old, wanted) {
  // Whether it is open is the viewer's own affair.
  const isOwn = (name) => name === "open" && old.nodeName === "DETAILS";
  for (const { name, value } of wanted.attributes) {
    if (!isOwn(name) && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!isOwn(name) && !wanted.hasAttribute(name)) old.removeAttribute(name);
  }
}

function morphChildren(old, wanted) {
  if (old.dataset.keep === "attributes") return;
  const byId = new Map();
  for (const child of old.children) if (child.id !== "") byId.set(child.id, child);
  let at = old.firstChild;
  for (const child of [...wanted.childNodes]) {
    const same = child.id ? byId.get(child.id) : matching(at, child);
    if (same === undefined || same === null) {
      old.insertBefore(child, at);
      continue;
    }
    if (same === at) at = at.nextSibling;
    else old.insertBefore(same, at);
    morph(same, child);
  }
  while (at !== null) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/** The old child that can become the wanted one: the next, unless it has a name of its own. */
function matching(at, child) {
  if (at === null || at.id || at.nodeName !== child.nodeName) return null;
  return at;
}
