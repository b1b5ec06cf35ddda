-- Clearing what a deleted field left behind can be taken up again after a stop: a row says which field's keys to remove
-- (null: no unique field) and whether it is done. A row with an empty key stands for a whole deleted entity, and goes
-- when its records are gone.
alter table "retired_fields" add column "field_id" uuid;
alter table "retired_fields" add column "cleared_at" timestamptz(3);
