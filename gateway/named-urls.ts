/** "reviews=http://reviews:4101/graphql,stock=https://stock/graphql" as a map; null where it is not such a list. */
export function parseNamedUrls(text: string): ReadonlyMap<string, string> | null {
  const urls = new Map<string, string>();
  for (const item of text.split(',')) {
    if (item.trim() === '') continue;
    const mark = item.indexOf('=');
    const name = item.slice(0, mark).trim();
    const url = item.slice(mark + 1).trim();
    const isGood = URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
    if (mark < 0 || !/^[A-Za-z][\w-]{0,63}$/.test(name) || !isGood || urls.has(name)) return null;
    urls.set(name, url);
  }
  return urls;
}
