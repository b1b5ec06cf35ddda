import { listShape } from './list.ts';
import { reviewsShape } from './reviews.ts';
import type { Shape } from './shape.ts';

export const shapes: readonly Shape[] = [listShape, reviewsShape];
