import { listShape } from './list.ts';
import type { Shape } from './shape.ts';

export const shapes: readonly Shape[] = [listShape];
