-- The ground: roles, row-level security, partitions, and the resources a tenant configures.
--
-- Two roles do all the work. `parley_app` sees one tenant at a time (setting `parley.tenant`); `parley_platform`
-- sees all tenants, table by table, where an explicit policy says so (scheduler, sweeper, outbox, look-up of keys).
-- Neither owns anything, and neither can bypass row-level security. The login user is a member of both.

DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['parley_app', 'parley_platform'] LOOP
        -- Roles belong to the whole server: another database may have made them, or be making them right now.
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE', role_name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
            END;
        END IF;
        IF NOT pg_has_role(current_user, role_name, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO %I', role_name, current_user);
        END IF;
    END LOOP;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname IN ('parley_app', 'parley_platform') AND (rolsuper OR rolbypassrls)) THEN
        RAISE EXCEPTION 'role parley_app or parley_platform can bypass row-level security: drop it or ALTER ROLE … NOSUPERUSER NOBYPASSRLS';
    END IF;
END $$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO parley_app, parley_platform;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

-- Forces row-level security on a tenant table and grants what is named, no more.
-- The policies are one equality each, written out: a function call in a policy would cost every row.
CREATE FUNCTION parley_protect(target regclass, app_grants text, platform_grants text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format(
        'CREATE POLICY tenant ON %s TO parley_app '
        'USING (tenant_id = nullif(current_setting(''parley.tenant'', true), '''')::uuid) '
        'WITH CHECK (tenant_id = nullif(current_setting(''parley.tenant'', true), '''')::uuid)', target);
    EXECUTE format('GRANT %s ON %s TO parley_app', app_grants, target);
    IF platform_grants IS NOT NULL THEN
        EXECUTE format('CREATE POLICY platform ON %s TO parley_platform USING (true) WITH CHECK (true)', target);
        EXECUTE format('GRANT %s ON %s TO parley_platform', platform_grants, target);
    END IF;
END $$;

-- Partitions --------------------------------------------------------------------------------------------------

-- The lowest id (UUIDv7) of a millisecond: the bound of a partition.
CREATE FUNCTION parley_uuid7_floor(moment timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT (lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- Every table of ours that is partitioned by range, and the name its partition of a month has.
CREATE FUNCTION parley_partition_names(moment timestamptz)
RETURNS TABLE (parent oid, parent_name text, partition_name text) LANGUAGE sql STABLE AS $$
    SELECT c.oid, c.relname::text, c.relname || '_' || to_char(moment AT TIME ZONE 'UTC', 'YYYY"m"MM')
    FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
    WHERE p.partstrat = 'r' AND c.relnamespace = 'public'::regnamespace
$$;

-- Makes the partitions of the last month, this one and `ahead` more, for every range-partitioned table.
-- Returns how many were made. Partitions are reached through their parent only: nobody is granted anything on them.
CREATE FUNCTION parley_keep_partitions(ahead int DEFAULT 3) RETURNS int LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    this_month timestamptz := date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
    month_start timestamptz;
    month_end timestamptz;
    wanted record;
    made int := 0;
BEGIN
    IF ahead NOT BETWEEN 1 AND 24 THEN
        RAISE EXCEPTION 'ahead must be 1 to 24 months, not %', ahead;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('parley.partitions'));
    FOR step IN -1..ahead LOOP
        month_start := (this_month AT TIME ZONE 'UTC' + make_interval(months => step)) AT TIME ZONE 'UTC';
        month_end := (this_month AT TIME ZONE 'UTC' + make_interval(months => step + 1)) AT TIME ZONE 'UTC';
        FOR wanted IN SELECT * FROM public.parley_partition_names(month_start) LOOP
            CONTINUE WHEN to_regclass(format('public.%I', wanted.partition_name)) IS NOT NULL;
            EXECUTE format(
                'CREATE TABLE public.%I PARTITION OF public.%I FOR VALUES FROM (%L) TO (%L)', wanted.partition_name,
                wanted.parent_name, public.parley_uuid7_floor(month_start), public.parley_uuid7_floor(month_end));
            EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', wanted.partition_name);
            EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', wanted.partition_name);
            made := made + 1;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

-- Partitions that are needed now or next month and do not exist. Anything here fails /readyz.
CREATE FUNCTION parley_missing_partitions(moment timestamptz DEFAULT now()) RETURNS SETOF text LANGUAGE sql STABLE AS $$
    SELECT n.partition_name
    FROM generate_series(0, 1) AS step,
        public.parley_partition_names(
            (date_trunc('month', moment AT TIME ZONE 'UTC') + make_interval(months => step)) AT TIME ZONE 'UTC') AS n
    WHERE to_regclass(format('public.%I', n.partition_name)) IS NULL
    ORDER BY 1
$$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
GRANT EXECUTE ON FUNCTION parley_uuid7_floor(timestamptz) TO parley_app, parley_platform;
GRANT EXECUTE ON FUNCTION parley_partition_names(timestamptz), parley_keep_partitions(int),
    parley_missing_partitions(timestamptz) TO parley_platform;

-- Milliseconds since 1970: how the application reads times.
CREATE FUNCTION parley_ms(moment timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT floor(extract(epoch FROM moment) * 1000)::bigint
$$;
GRANT EXECUTE ON FUNCTION parley_ms(timestamptz) TO parley_app, parley_platform;

-- Tenants -----------------------------------------------------------------------------------------------------

-- A tree: operator → reseller → client. `path` holds the ids from the operator down to the tenant itself.
CREATE TABLE tenants (
    id uuid PRIMARY KEY,
    parent_id uuid REFERENCES tenants (id),
    kind text NOT NULL CHECK (kind IN ('operator', 'reseller', 'client')),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    path uuid[] NOT NULL CHECK (path[cardinality(path)] = id AND cardinality(path) BETWEEN 1 AND 8),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    -- Calls at once; 0 stops new ones.
    concurrency_limit int NOT NULL CHECK (concurrency_limit BETWEEN 0 AND 100000),
    -- Share of free slots against other tenants.
    weight int NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 1000),
    region text NOT NULL CHECK (region ~ '^[a-z0-9-]{1,32}$'),
    -- {"allowed_prefixes": ["+1"], "denied_prefixes": ["+1900"]}; an empty allowed list allows all that is not denied.
    destination_policy jsonb NOT NULL DEFAULT '{"allowed_prefixes": [], "denied_prefixes": []}',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'operator') = (parent_id IS NULL))
);
CREATE UNIQUE INDEX tenants_one_operator ON tenants (kind) WHERE kind = 'operator';
CREATE INDEX tenants_parent ON tenants (parent_id, id);
CREATE INDEX tenants_path ON tenants USING gin (path);
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
-- A tenant sees itself and all below; it makes and changes only what is below, so it cannot raise its own limits.
CREATE POLICY see ON tenants FOR SELECT TO parley_app
    USING (path @> ARRAY[nullif(current_setting('parley.tenant', true), '')::uuid]);
CREATE POLICY make ON tenants FOR INSERT TO parley_app
    WITH CHECK (path @> ARRAY[nullif(current_setting('parley.tenant', true), '')::uuid]
        AND id <> nullif(current_setting('parley.tenant', true), '')::uuid);
CREATE POLICY change ON tenants FOR UPDATE TO parley_app
    USING (path @> ARRAY[nullif(current_setting('parley.tenant', true), '')::uuid]
        AND id <> nullif(current_setting('parley.tenant', true), '')::uuid)
    WITH CHECK (path @> ARRAY[nullif(current_setting('parley.tenant', true), '')::uuid]
        AND id <> nullif(current_setting('parley.tenant', true), '')::uuid);
CREATE POLICY platform ON tenants TO parley_platform USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON tenants TO parley_app, parley_platform;
GRANT UPDATE (name, status, concurrency_limit, weight, region, destination_policy, updated_at) ON tenants
    TO parley_app, parley_platform;

-- Data keys: each tenant's own, sealed by a master key that can be rotated without touching what they seal.
CREATE TABLE tenant_keys (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    number int NOT NULL CHECK (number >= 1),
    -- First 8 bytes of SHA-256 of the master key, hex.
    master_key_id text NOT NULL,
    sealed_key bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, number)
);
SELECT parley_protect('tenant_keys', 'SELECT, INSERT', 'SELECT, UPDATE');

-- HMAC-SHA-256 of the key under a pepper: what is stolen from here opens nothing.
CREATE TABLE api_keys (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    hash bytea NOT NULL UNIQUE,
    last4 text NOT NULL,
    scopes text[] NOT NULL,
    -- Made from PARLEY_OPERATOR_KEY, not over the API.
    is_bootstrap boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    -- To about a minute.
    last_used_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
SELECT parley_protect('api_keys', 'SELECT, INSERT, UPDATE (revoked_at)', 'SELECT, INSERT, UPDATE');

-- Accounts at carriers and model vendors. `sealed_secret`: AES-GCM under the tenant's data key, bound to this row.
CREATE TABLE credentials (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    vendor text NOT NULL CHECK (vendor IN ('twilio', 'openai')),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    -- Twilio's account SID; null where the vendor has no such thing.
    account text CHECK (length(account) BETWEEN 1 AND 100),
    base_url text NOT NULL CHECK (length(base_url) BETWEEN 1 AND 500),
    sealed_secret bytea NOT NULL,
    last4 text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
SELECT parley_protect('credentials', 'SELECT, INSERT, DELETE', 'SELECT');

-- Agents ------------------------------------------------------------------------------------------------------

CREATE TABLE agents (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    latest_version int NOT NULL CHECK (latest_version >= 1),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    archived_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
SELECT parley_protect('agents', 'SELECT, INSERT, UPDATE (name, latest_version, updated_at, archived_at)', 'SELECT');

-- Immutable: nobody is granted UPDATE or DELETE.
CREATE TABLE agent_versions (
    tenant_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    number int NOT NULL CHECK (number >= 1),
    definition jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, agent_id, number),
    FOREIGN KEY (tenant_id, agent_id) REFERENCES agents (tenant_id, id)
);
SELECT parley_protect('agent_versions', 'SELECT, INSERT', 'SELECT');

CREATE TABLE phone_numbers (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    e164 text NOT NULL UNIQUE CHECK (e164 ~ '^\+[1-9][0-9]{6,14}$'),
    name text CHECK (length(name) BETWEEN 1 AND 200),
    agent_id uuid,
    -- null: the agent's latest version.
    agent_version int,
    credential_id uuid NOT NULL,
    inbound_enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    CHECK (agent_version IS NULL OR agent_id IS NOT NULL),
    CONSTRAINT phone_numbers_agent FOREIGN KEY (tenant_id, agent_id) REFERENCES agents (tenant_id, id),
    CONSTRAINT phone_numbers_version FOREIGN KEY (tenant_id, agent_id, agent_version)
        REFERENCES agent_versions (tenant_id, agent_id, number),
    CONSTRAINT phone_numbers_credential FOREIGN KEY (tenant_id, credential_id) REFERENCES credentials (tenant_id, id)
);
CREATE INDEX phone_numbers_by_agent ON phone_numbers (tenant_id, agent_id);
CREATE INDEX phone_numbers_by_credential ON phone_numbers (tenant_id, credential_id);
SELECT parley_protect(
    'phone_numbers',
    'SELECT, INSERT, DELETE, UPDATE (name, agent_id, agent_version, credential_id, inbound_enabled, updated_at)', 'SELECT');

-- Prices ------------------------------------------------------------------------------------------------------

-- Immutable and effective-dated. A call takes the newest effective book of its tenant or, failing that, of the
-- nearest tenant above it. Written by the operator through the platform role.
CREATE TABLE price_books (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    effective_from timestamptz NOT NULL,
    rates jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (id),
    CONSTRAINT price_books_one_per_moment UNIQUE (tenant_id, effective_from)
);
SELECT parley_protect('price_books', 'SELECT', 'SELECT, INSERT');

-- Idempotency -------------------------------------------------------------------------------------------------

-- One row per finished create, written in the SQL transaction of its effect. Not partitioned: the key must be unique.
CREATE TABLE idempotency_keys (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    -- SHA-256 over method, path and body.
    fingerprint bytea NOT NULL,
    status int NOT NULL,
    -- Sealed: an answer may show a new API key.
    sealed_answer bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
SELECT parley_protect('idempotency_keys', 'SELECT, INSERT, DELETE', 'SELECT, INSERT, DELETE');
