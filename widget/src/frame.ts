const USUAL = 560;
const LOWEST = 200;
const HIGHEST = 4_000;

/** Make an element the panel's place in a cell's output: as high as somebody asked for, within reason. */
export function frame(element: HTMLElement, height: unknown): void {
  const asked = typeof height === "number" && Number.isFinite(height) ? height : USUAL;
  element.style.height = `${Math.min(Math.max(asked, LOWEST), HIGHEST)}px`;
  element.style.border = "1px solid var(--jp-border-color2, rgb(128 128 128 / 30%))";
  element.style.borderRadius = "8px";
  element.style.overflow = "hidden";
  element.style.resize = "vertical";
}
