interface AnnounceProps {
  text: string;
}

/** Announce tells screen readers what changed, politely and once per text. */
export function Announce({ text }: AnnounceProps) {
  return (
    <span className="sb-hidden" role="status" aria-live="polite">
      {text}
    </span>
  );
}
