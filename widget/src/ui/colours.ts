/** The colour that one of our variables stands for at an element: a canvas and a terminal take no variables. */
export function colourOf(element: HTMLElement, variable: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${variable})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Says when light becomes dark, by the system or by JupyterLab's theme; the function that it gives ends that. */
export function watchColours(changed: () => void): () => void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const themes = new MutationObserver(changed);
  dark.addEventListener("change", changed);
  themes.observe(document.body, { attributeFilter: ["data-jp-theme-light", "data-jp-theme-name"] });
  return () => {
    dark.removeEventListener("change", changed);
    themes.disconnect();
  };
}
