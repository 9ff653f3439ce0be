interface LogoProps {
  size?: number;
}

/** Logo is a track that branches off under a signal at clear. */
export function Logo({ size = 26 }: LogoProps) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="var(--mantine-color-text)" />
      <path
        d="M5 22.5h22M9 22.5c6 0 6-12 12-12h6"
        fill="none"
        stroke="var(--mantine-color-body)"
        strokeWidth="2.6"
        strokeLinecap="round"
      />
      <circle cx="9" cy="10.5" r="3.7" fill="#2fbf71" />
    </svg>
  );
}
