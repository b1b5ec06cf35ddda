-- Which slots of a record hold a value: bit 0 is t1, 20 n1, 30 d1, 40 r1. PostgreSQL keeps it itself, so it holds for every
-- writer, and for fields that came after their records. With its index the records without a value in some slot are found by
-- the few masks that lack its bit (docs/decisions/flex-columns.md).
alter table "records" add column "filled" bigint not null generated always as (
        case when "t1" is null then 0 else 1::bigint end |
        case when "t2" is null then 0 else 2::bigint end |
        case when "t3" is null then 0 else 4::bigint end |
        case when "t4" is null then 0 else 8::bigint end |
        case when "t5" is null then 0 else 16::bigint end |
        case when "t6" is null then 0 else 32::bigint end |
        case when "t7" is null then 0 else 64::bigint end |
        case when "t8" is null then 0 else 128::bigint end |
        case when "t9" is null then 0 else 256::bigint end |
        case when "t10" is null then 0 else 512::bigint end |
        case when "t11" is null then 0 else 1024::bigint end |
        case when "t12" is null then 0 else 2048::bigint end |
        case when "t13" is null then 0 else 4096::bigint end |
        case when "t14" is null then 0 else 8192::bigint end |
        case when "t15" is null then 0 else 16384::bigint end |
        case when "t16" is null then 0 else 32768::bigint end |
        case when "t17" is null then 0 else 65536::bigint end |
        case when "t18" is null then 0 else 131072::bigint end |
        case when "t19" is null then 0 else 262144::bigint end |
        case when "t20" is null then 0 else 524288::bigint end |
        case when "n1" is null then 0 else 1048576::bigint end |
        case when "n2" is null then 0 else 2097152::bigint end |
        case when "n3" is null then 0 else 4194304::bigint end |
        case when "n4" is null then 0 else 8388608::bigint end |
        case when "n5" is null then 0 else 16777216::bigint end |
        case when "n6" is null then 0 else 33554432::bigint end |
        case when "n7" is null then 0 else 67108864::bigint end |
        case when "n8" is null then 0 else 134217728::bigint end |
        case when "n9" is null then 0 else 268435456::bigint end |
        case when "n10" is null then 0 else 536870912::bigint end |
        case when "d1" is null then 0 else 1073741824::bigint end |
        case when "d2" is null then 0 else 2147483648::bigint end |
        case when "d3" is null then 0 else 4294967296::bigint end |
        case when "d4" is null then 0 else 8589934592::bigint end |
        case when "d5" is null then 0 else 17179869184::bigint end |
        case when "d6" is null then 0 else 34359738368::bigint end |
        case when "d7" is null then 0 else 68719476736::bigint end |
        case when "d8" is null then 0 else 137438953472::bigint end |
        case when "d9" is null then 0 else 274877906944::bigint end |
        case when "d10" is null then 0 else 549755813888::bigint end |
        case when "r1" is null then 0 else 1099511627776::bigint end |
        case when "r2" is null then 0 else 2199023255552::bigint end |
        case when "r3" is null then 0 else 4398046511104::bigint end |
        case when "r4" is null then 0 else 8796093022208::bigint end |
        case when "r5" is null then 0 else 17592186044416::bigint end |
        case when "r6" is null then 0 else 35184372088832::bigint end |
        case when "r7" is null then 0 else 70368744177664::bigint end |
        case when "r8" is null then 0 else 140737488355328::bigint end |
        case when "r9" is null then 0 else 281474976710656::bigint end |
        case when "r10" is null then 0 else 562949953421312::bigint end
) stored;
create index "records_filled" on "records" ("tenant_id", "entity_id", "filled", "id");
