import { expect, test } from 'vitest';
import type { FieldShape, ValueShape } from '#gateway/execution/compiled/recipe.ts';
import { createShaper } from '#gateway/execution/compiled/run/shaper.ts';

/** Texts that would end a string, a comment or a template if they reached code as they are. */
const hostile = [
  '"); globalThis.broken = 1; ("',
  "'",
  '\\',
  '`${1}`',
  '*/',
  '\n',
  '\u2028',
  '</script>',
  '[0]',
  'constructor',
];

test('names and values reach the generated code as data only', () => {
  for (const text of hostile) {
    const leaf: ValueShape = { kind: 'leaf', nonNull: true, leaf: 'String' };
    const always = { name: text, when: null };
    const fields: FieldShape[] = [
      { ...always, key: text, value: leaf },
      { ...always, key: `${text}list`, value: { kind: 'list', nonNull: false, of: leaf } },
      { ...always, key: `${text}enum`, value: { kind: 'enum', nonNull: false, values: [text] } },
      { ...always, key: `${text}type`, value: 'typename' },
      { name: text, key: `${text}if`, when: [[{ variable: text, is: true }]], value: leaf },
    ];
    const shapes = [{ type: text, isAbstract: true, variants: [{ typenames: [text], fields }], untyped: [] }];
    const shape = createShaper({ shapes, rootShape: 0 });
    const data = {
      __typename: text,
      [text]: 'a',
      [`${text}list`]: ['b', null],
      [`${text}enum`]: text,
      [`${text}if`]: 'c',
    };
    const completions: never[] = [];
    const answer = shape({ variables: { [text]: true }, introspection: {}, completions }, data);
    expect(answer).toEqual({
      [text]: 'a',
      [`${text}list`]: null,
      [`${text}enum`]: text,
      [`${text}type`]: text,
      [`${text}if`]: 'c',
    });
    expect(completions).toHaveLength(1);
  }
  expect('broken' in globalThis).toBe(false);
});

test('a response name that would set a prototype is never written into code', () => {
  const fields: FieldShape[] = [{ key: '__proto__', name: 'a', when: null, value: 'typename' }];
  const shapes = [{ type: 'A', isAbstract: false, variants: [{ typenames: ['A'], fields }], untyped: [] }];
  expect(() => createShaper({ shapes, rootShape: 0 })).toThrow('__proto__');
});
