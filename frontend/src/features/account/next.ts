/**
 * safeNext keeps a way back that stays on this site; anything else, such as
 * `//evil.example`, is dropped.
 */
export function safeNext(next: string | undefined): string {
  if (!next?.startsWith("/") || next.startsWith("//") || next.startsWith("/\\")) return "/";
  return next;
}
