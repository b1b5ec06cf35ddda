-- Retired signing keys are removed in the background, long after the last token that they signed has expired.
grant delete on "signing_keys" to tenantry_platform;
