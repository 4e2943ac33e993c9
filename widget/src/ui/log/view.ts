import { type Signal, signal } from "@preact/signals";

/** How a log is looked at; the picture and the buttons around it share it. */
export interface View {
  readonly isWrapped: Signal<boolean>;
  /** Whether the view stays at the end while more is added. */
  readonly isAtEnd: Signal<boolean>;
  /** The row at the top of the view. */
  readonly top: Signal<number>;
  /** A row that is to be shown next, once. */
  readonly wanted: Signal<number | null>;
  /** The row that is marked: a match, or the error that was gone to. */
  readonly found: Signal<number | null>;
}

export function newView(): View {
  return {
    isWrapped: signal(true),
    isAtEnd: signal(true),
    top: signal(0),
    wanted: signal<number | null>(null),
    found: signal<number | null>(null),
  };
}

export function show(view: View, row: number): void {
  view.found.value = row;
  view.isAtEnd.value = false;
  view.wanted.value = row;
}
