-- A relation to one of several entities: their ids, in order; target_entity_id is null then.
alter table "field_definitions" add column "target_entity_ids" uuid[];
