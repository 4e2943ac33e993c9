import type { JSX } from "preact";

const PATHS = {
  start: "M5 3.5v9l7-4.5z",
  stop: "M4.5 4.5h7v7h-7z",
  rerun: "M12.5 8a4.5 4.5 0 1 1-1.4-3.2M12.5 2.5v3h-3",
  archive: "M2.5 3.5h11v3h-11zM3.5 6.5v6h9v-6M6.5 9h3",
  unarchive: "M2.5 3.5h11v3h-11zM3.5 6.5v6h9v-6M8 11.5v-3M6.5 9.7 8 8.2l1.5 1.5",
  copy: "M5.5 5.5h7v7h-7zM3.5 10.5v-7h7",
  check: "M3.5 8.5 6.5 11.5 12.5 4.5",
  edit: "M3 13l.6-2.8 7-7 2.2 2.2-7 7zM9.5 4.3l2.2 2.2",
  close: "M4 4l8 8M12 4l-8 8",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM10.3 10.3 13.5 13.5",
  plus: "M8 3v10M3 8h10",
  back: "M9.5 3.5 5 8l4.5 4.5",
  down: "M8 3v9.5M4 8.5l4 4 4-4",
  up: "M8 13V3.5M4 7.5l4-4 4 4",
  expand: "M9.5 3H13v3.5M6.5 13H3V9.5M13 3 9.2 6.8M3 13l3.8-3.8",
  shrink: "M13 6.5H9.5V3M3 9.5h3.5V13M9.5 6.5 13 3M6.5 9.5 3 13",
  wrap: "M2.5 4h11M2.5 8h9a2 2 0 0 1 0 4H8M9.5 10.5 8 12l1.5 1.5M2.5 12h2.5",
  download: "M8 2.5v7M5 7l3 3 3-3M3 13h10",
  bell: "M4 11.5V7a4 4 0 0 1 8 0v4.5M2.5 11.5h11M6.5 13.5h3",
  terminal: "M2.5 3.5h11v9h-11zM5 6.5 7 8 5 9.5M8.5 10h2.5",
  clone: "M3.5 10.5v-7h7M6 6h6.5v6.5H6zM9.25 7.75v3M7.75 9.25h3",
  open: "M6.5 3.5 11 8l-4.5 4.5",
} as const;

export type IconName = keyof typeof PATHS;

/** A sign beside words, or in a button that has a label: it says nothing by itself. */
export function Icon({ name }: { readonly name: IconName }): JSX.Element {
  const isSolid = name === "start" || name === "stop";
  return (
    <svg class={`ra-icon${isSolid ? " ra-icon-solid" : ""}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
