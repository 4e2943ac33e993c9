const sheets = new Map<string, CSSStyleSheet>();

/** Use a style sheet in a document or shadow root, once; a policy that allows no inline styles allows this. */
export function adopt(styles: Document | ShadowRoot, text: string): CSSStyleSheet {
  let sheet = sheets.get(text);
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    sheets.set(text, sheet);
  }
  if (!styles.adoptedStyleSheets.includes(sheet)) styles.adoptedStyleSheets = [...styles.adoptedStyleSheets, sheet];
  return sheet;
}
