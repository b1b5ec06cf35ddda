/** English plurals, for an entity whose admin gave none. Whoever disagrees passes `pluralName`. */

const irregular: Readonly<Record<string, string>> = {
  person: 'people',
  child: 'children',
  man: 'men',
  woman: 'women',
  foot: 'feet',
  tooth: 'teeth',
  goose: 'geese',
  mouse: 'mice',
  ox: 'oxen',
  criterion: 'criteria',
  phenomenon: 'phenomena',
  analysis: 'analyses',
  basis: 'bases',
  crisis: 'crises',
  thesis: 'theses',
  matrix: 'matrices',
  vertex: 'vertices',
  quiz: 'quizzes',
  leaf: 'leaves',
  shelf: 'shelves',
  knife: 'knives',
  life: 'lives',
  wife: 'wives',
  half: 'halves',
  loaf: 'loaves',
  thief: 'thieves',
  hero: 'heroes',
  potato: 'potatoes',
  tomato: 'tomatoes',
  echo: 'echoes',
};

/** The plural of a name's last word: `salesPerson` → `salesPeople`, `CATEGORY` → `CATEGORIES`, `box_2` → `box_2s`. */
export function pluralOf(name: string): string {
  const match = /^(.*?)([A-Z]?[a-z]+|[A-Z]+)$/.exec(name);
  if (!match) return `${name}s`;
  const [, head = '', word = ''] = match;
  return head + matchCase(word, pluralOfWord(word.toLowerCase()));
}

function pluralOfWord(word: string): string {
  const known = Object.hasOwn(irregular, word) ? irregular[word] : undefined;
  if (known) return known;
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  if (/(s|x|z|ch|sh)$/.test(word)) return `${word}es`;
  return `${word}s`;
}

function matchCase(word: string, plural: string): string {
  if (word.length > 1 && word === word.toUpperCase()) return plural.toUpperCase();
  return word.charAt(0) === word.charAt(0).toUpperCase()
    ? plural.charAt(0).toUpperCase() + plural.slice(1)
    : plural;
}
