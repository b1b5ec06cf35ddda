/** A tenant's name in URLs, headers and subdomains. */

const pattern = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const longest = 50;

/** Host names that a deployment needs for itself. */
const reserved = new Set([
  'www',
  'api',
  'app',
  'admin',
  'graphql',
  'graphiql',
  'static',
  'assets',
  'mail',
  'localhost',
]);

/** An id is looked up as an id, so a slug must not look like one. */
const idLike = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The rule that `slug` breaks, or null. */
export function slugProblem(slug: string): string | null {
  if (slug.length < 2 || slug.length > longest) return `must have 2 to ${longest} characters`;
  if (!pattern.test(slug)) return 'may hold a–z, 0–9 and single hyphens between them';
  if (reserved.has(slug) || idLike.test(slug)) return 'is reserved';
  return null;
}

/** "Müller & Söhne" → "muller-sohne"; "tenant" where nothing is left. */
export function slugFromName(name: string): string {
  const folded = name
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, longest - 8)
    .replace(/^-+|-+$/g, '');
  return slugProblem(folded) === null
    ? folded
    : `tenant${folded && `-${folded}`}`.slice(0, longest - 8).replace(/-+$/, '');
}

/** The slug itself, then with a number: "acme", "acme-2", "acme-3" … */
export function slugCandidates(base: string, from: number, count: number): string[] {
  return Array.from({ length: count }, (_, index) => (from + index === 1 ? base : `${base}-${from + index}`));
}
