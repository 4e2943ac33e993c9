type Root = Document | ShadowRoot;

/**
 * What xterm.js has in place of a `<style>` element: the text that it is given becomes a style sheet which the document
 * or shadow root adopts that it is in, until it is removed. A policy that allows no inline styles allows that.
 */
export function styleElement(): HTMLElement {
  const element = document.createElement("span");
  element.hidden = true;
  const sheet = new CSSStyleSheet();
  let root: Root | null = null;
  const leave = (): void => {
    if (root !== null) root.adoptedStyleSheets = root.adoptedStyleSheets.filter((each) => each !== sheet);
    root = null;
  };
  Object.defineProperty(element, "textContent", {
    set(text: string) {
      sheet.replaceSync(text);
      leave();
      root = element.getRootNode() as Root;
      root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
    },
  });
  element.remove = () => {
    leave();
    Element.prototype.remove.call(element);
  };
  return element;
}

/** The `style` attribute, set as a script may set it. */
export function setStyle(element: HTMLElement, style: string): void {
  element.style.cssText = style;
}
