/** The part of the schema that every tenant has. */
import { readStaticSdl, sharedSdl } from '#subgraphs/server/static-sdl.ts';
import { dateBucketSdl } from '#subgraphs/model/aggregate/sdl.ts';
import { comparisonInputsSdl } from '#subgraphs/model/filter/sdl.ts';
import { orderDirectionSdl } from '#subgraphs/model/order/sdl.ts';

/** Federation SDL of definitions, templates and the untyped twin. A whole schema by itself. */
export const staticEntitiesSdl: string = [
  readStaticSdl('entities'),
  readStaticSdl('transfers'),
  readStaticSdl('records'),
  readStaticSdl('files'),
  sharedSdl,
  orderDirectionSdl(),
  dateBucketSdl(),
  comparisonInputsSdl(),
].join('\n\n');
