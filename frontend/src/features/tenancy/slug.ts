const MOST = 40;

/** slugOf proposes the name in URLs for a name: `Müller & Söhne AG` → `muller-sohne-ag`. */
export function slugOf(name: string): string {
  return name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, MOST)
    .replace(/^-+|-+$/g, "");
}

/** slugProblem says what is wrong with a slug that somebody typed. */
export function slugProblem(slug: string): string | undefined {
  if (slug === "") return undefined; // the server proposes one
  if (!/^[a-z0-9](-?[a-z0-9])*$/.test(slug)) return "Lower-case letters, digits and single hyphens between them.";
  if (slug.length > MOST) return `At most ${MOST} characters.`;
  return undefined;
}
