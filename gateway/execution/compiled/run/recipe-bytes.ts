/** What a compiled operation holds of the heap, roughly, from the recipe it was made of; answers to introspection apart. */
import type { OperationRecipe, PlanStep } from '../recipe.ts';

const operationBytes = 3_000;
const fetchBytes = 1_500;
const shapeBytes = 600;
/** Generated code, compiled, for each field of each type. */
const fieldBytes = 350;

export function recipeBytes(recipe: OperationRecipe): number {
  let bytes = operationBytes + stepBytes(recipe.plan) + stepBytes(recipe.source);
  for (const shape of recipe.shapes) {
    for (const variant of [...shape.variants, ...shape.untyped]) {
      bytes += shapeBytes + variant.fields.length * fieldBytes + variant.typenames.length * 50;
    }
  }
  return bytes;
}

function stepBytes(step: PlanStep | null): number {
  if (!step) return 0;
  switch (step.kind) {
    case 'fetch':
      return fetchBytes + step.query.length * 2;
    case 'condition':
      return 200 + stepBytes(step.whenTrue) + stepBytes(step.whenFalse);
    default:
      return 200 + step.steps.reduce((sum, child) => sum + stepBytes(child), 0);
  }
}
