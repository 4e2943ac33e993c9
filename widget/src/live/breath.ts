/** Milliseconds of work in a frame: the rest of it is for drawing. */
const BUDGET = 8;
/** In case that no frame is drawn, as of a page that is just being hidden. */
const LONGEST = 100;

/**
 * Work that comes in pieces, and must not keep the browser from drawing. To wait for the next piece is no break: what
 * comes fast is there before it is asked for.
 */
export class Breath {
  private spent = 0;

  /** Do a piece. When it is time for a break, what it gives comes after the next frame. */
  async after<T>(piece: () => T): Promise<T> {
    const begun = performance.now();
    const result = piece();
    this.spent += performance.now() - begun;
    if (this.spent >= BUDGET) {
      await drawn();
      this.spent = 0;
    }
    return result;
  }
}

function drawn(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LONGEST);
    requestAnimationFrame(() => {
      clearTimeout(timer);
      setTimeout(resolve); // behind the frame's own work, and its painting
    });
  });
}
