import type { ComponentChildren, JSX } from "preact";
import { Icon, type IconName } from "./icon";

interface Props {
  readonly icon?: IconName;
  readonly label: string;
  readonly onClick?: (event: MouseEvent) => void;
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  readonly kind?: "primary" | "quiet" | "danger";
  readonly type?: "button" | "submit";
  readonly tabIndex?: number;
  /** Without these, the icon alone, with the label for who hears it, and as a hint. */
  readonly children?: ComponentChildren;
}

export function Button(props: Props): JSX.Element {
  const { icon, label, onClick, disabled, pressed, kind, type = "button", tabIndex, children } = props;
  const kinds = ["ra-button", kind && `ra-button-${kind}`, children === undefined && "ra-button-icon"];
  return (
    <button
      type={type}
      class={kinds.filter(Boolean).join(" ")}
      onClick={onClick}
      disabled={disabled}
      aria-pressed={pressed}
      tabIndex={tabIndex}
      {...(children === undefined && { "aria-label": label, title: label })}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}
