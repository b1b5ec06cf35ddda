-- What a field becomes once all its values were converted: { type, key, slot, … }. Until then it is what it was.
alter table "field_definitions" add column "becomes" jsonb;
