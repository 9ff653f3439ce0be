import { iconPaths } from "./icon-paths";

export type IconName = keyof typeof iconPaths;

interface IconProps {
  name: IconName;
  size?: number;
  /** What the icon says when no text beside it does; otherwise it is hidden from readers. */
  label?: string;
  className?: string;
}

/** Icon draws an outline in the colour of the text around it. */
export function Icon({ name, size = 16, label, className }: IconProps) {
  const shape = (
    <path
      d={iconPaths[name]}
      fill="none"
      stroke="currentColor"
      strokeWidth={2}
      strokeLinecap="round"
      strokeLinejoin="round"
    />
  );
  if (!label) {
    return (
      <svg width={size} height={size} viewBox="0 0 24 24" className={className} aria-hidden="true" focusable="false">
        {shape}
      </svg>
    );
  }
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" className={className} role="img" aria-label={label}>
      {shape}
    </svg>
  );
}
