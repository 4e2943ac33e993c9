import { type ReadonlySignal, signal } from "@preact/signals";

const now = (): number => Date.now() / 1000;

/** The time in seconds since the epoch, told every so many milliseconds, as long as somebody shows it. */
function ticking(every: number): ReadonlySignal<number> {
  let timer: ReturnType<typeof setInterval> | undefined;
  const time = signal(now(), {
    watched: () => {
      time.value = now();
      timer = setInterval(() => (time.value = now()), every);
    },
    unwatched: () => clearInterval(timer),
  });
  return time;
}

/** For what is at work. */
export const seconds = ticking(1_000);
/** For how long ago something was. */
export const moments = ticking(10_000);
