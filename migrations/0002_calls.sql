-- Calls, their facts, the money they move, and what tells tenants about them.
--
-- What belongs to one call lives in partitions of the call's own id (UUIDv7), so everything about a call is found in
-- one partition of each table. What must be unique without knowing the call (keys, queues) is not partitioned.

-- Calls -------------------------------------------------------------------------------------------------------

-- How far a call has come. Moves forward only, but for one step: a claim that died before dialing is undone.
CREATE FUNCTION parley_call_rank(state text) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT array_position(ARRAY['queued', 'claimed', 'dialing', 'in_progress', 'ended'], state)
$$;

CREATE TABLE calls (
    id uuid NOT NULL PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    agent_id uuid NOT NULL,
    agent_version int NOT NULL,
    direction text NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    from_number text NOT NULL,
    to_number text NOT NULL,
    region text NOT NULL,
    -- queued: waits for a worker. claimed: a worker has it and has not dialled. dialing: the carrier may have been told.
    -- in_progress: media flows or is awaited anew. ended: over and settled, in the same SQL transaction.
    state text NOT NULL CHECK (parley_call_rank(state) IS NOT NULL),
    -- Fences every later write of a worker; grows with each claim and each move to another worker.
    epoch int NOT NULL DEFAULT 0 CHECK (epoch >= 0),
    worker_id uuid,
    -- The epoch whose media stream is attached; 0 before the first.
    media_epoch int NOT NULL DEFAULT 0 CHECK (media_epoch <= epoch),
    credential_id uuid,
    carrier_call_id text CHECK (length(carrier_call_id) <= 100),
    variables jsonb NOT NULL DEFAULT '{}',
    metadata jsonb NOT NULL DEFAULT '{}',
    -- Pinned at admission: the book's id and a copy of its rates, so that settlement needs nobody else's rows.
    price_book_id uuid NOT NULL,
    rates jsonb NOT NULL,
    -- What the hold must reckon with: a flow needs no language model.
    components text[] NOT NULL,
    max_seconds int NOT NULL CHECK (max_seconds BETWEEN 1 AND 14400),
    ring_seconds int NOT NULL CHECK (ring_seconds BETWEEN 1 AND 600),
    created_at timestamptz NOT NULL DEFAULT now(),
    released_at timestamptz,
    rung_at timestamptz,
    claimed_at timestamptz,
    dialing_at timestamptz,
    -- By then the stream of this epoch must have come; also the expiry of its token.
    media_due_at timestamptz,
    answered_at timestamptz,
    last_seen_at timestamptz,
    carrier_ended_at timestamptz,
    carrier_status text,
    end_requested_at timestamptz,
    ended_at timestamptz,
    end_reason text,
    connected_ms bigint NOT NULL DEFAULT 0 CHECK (connected_ms >= 0),
    cost_nanos bigint CHECK (cost_nanos >= 0),
    -- Numbers the events the control plane itself adds.
    event_number int NOT NULL DEFAULT 0,
    CHECK ((state = 'ended') = (ended_at IS NOT NULL AND end_reason IS NOT NULL AND cost_nanos IS NOT NULL))
) PARTITION BY RANGE (id);
CREATE INDEX calls_of_tenant ON calls (tenant_id, id);
CREATE INDEX calls_of_agent ON calls (tenant_id, agent_id, id);
-- What holds a slot of its tenant: rung and not over.
CREATE INDEX calls_slots ON calls (tenant_id) WHERE state <> 'ended' AND released_at IS NOT NULL;
CREATE INDEX calls_active ON calls (worker_id) WHERE state IN ('claimed', 'dialing', 'in_progress');
CREATE INDEX calls_rung ON calls (rung_at) WHERE state = 'queued' AND released_at IS NOT NULL;
SELECT parley_protect('calls', 'SELECT, INSERT, UPDATE', 'SELECT, UPDATE');

CREATE FUNCTION parley_call_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.state = 'ended' OR NEW.epoch < OLD.epoch OR (parley_call_rank(NEW.state) < parley_call_rank(OLD.state)
        AND NOT (OLD.state = 'claimed' AND NEW.state = 'queued')) THEN
        RAISE EXCEPTION 'a call moves forward only: % to %', OLD.state, NEW.state USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER calls_forward BEFORE UPDATE OF state, epoch ON calls
    FOR EACH ROW EXECUTE FUNCTION parley_call_forward();

-- Makes a carrier's call ours once, however often its webhook comes.
CREATE TABLE carrier_calls (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    carrier_call_id text NOT NULL CHECK (length(carrier_call_id) BETWEEN 1 AND 100),
    call_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, carrier_call_id)
);
CREATE INDEX carrier_calls_age ON carrier_calls (created_at);
SELECT parley_protect('carrier_calls', 'SELECT, INSERT', 'SELECT, DELETE');

-- One row per claim or move: which worker, and the last usage it confirmed.
CREATE TABLE call_epochs (
    tenant_id uuid NOT NULL,
    call_id uuid NOT NULL,
    epoch int NOT NULL CHECK (epoch >= 1),
    worker_id uuid NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    media_at timestamptz,
    connected_ms bigint NOT NULL DEFAULT 0 CHECK (connected_ms >= 0),
    -- Sequence of the report that brought the newest slice.
    slice_sequence int NOT NULL DEFAULT 0,
    PRIMARY KEY (call_id, epoch)
) PARTITION BY RANGE (call_id);
SELECT parley_protect('call_epochs', 'SELECT, INSERT, UPDATE', 'SELECT');

CREATE TABLE call_usage (
    tenant_id uuid NOT NULL,
    call_id uuid NOT NULL,
    epoch int NOT NULL,
    component text NOT NULL,
    source text NOT NULL CHECK (length(source) BETWEEN 1 AND 100),
    unit text NOT NULL,
    -- Cumulative in the epoch.
    quantity bigint NOT NULL CHECK (quantity >= 0),
    PRIMARY KEY (call_id, epoch, component, source, unit)
) PARTITION BY RANGE (call_id);
SELECT parley_protect('call_usage', 'SELECT, INSERT, UPDATE', 'SELECT');

-- Facts in the order told. origin 0: the control plane; 1: a worker, whose key (epoch, sequence) makes repeats harmless.
CREATE TABLE call_events (
    tenant_id uuid NOT NULL,
    call_id uuid NOT NULL,
    origin smallint NOT NULL CHECK (origin IN (0, 1)),
    epoch int NOT NULL,
    sequence int NOT NULL CHECK (sequence >= 1),
    at timestamptz NOT NULL,
    type text NOT NULL CHECK (length(type) BETWEEN 1 AND 64),
    -- Never spoken words or phone numbers.
    detail jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (call_id, origin, epoch, sequence)
) PARTITION BY RANGE (call_id);
SELECT parley_protect('call_events', 'SELECT, INSERT', 'SELECT');

CREATE TABLE call_turns (
    tenant_id uuid NOT NULL,
    call_id uuid NOT NULL,
    epoch int NOT NULL,
    number int NOT NULL CHECK (number >= 1),
    speaker text NOT NULL CHECK (speaker IN ('caller', 'agent')),
    words text NOT NULL,
    start_ms int NOT NULL,
    end_ms int NOT NULL,
    was_interrupted boolean NOT NULL,
    -- Milliseconds from the end of the caller's speech.
    stages jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (call_id, epoch, number)
) PARTITION BY RANGE (call_id);
SELECT parley_protect('call_turns', 'SELECT, INSERT', NULL);

CREATE TABLE call_artifacts (
    tenant_id uuid NOT NULL,
    call_id uuid NOT NULL,
    epoch int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('recording', 'journal')),
    -- Under the recordings root.
    path text NOT NULL CHECK (length(path) BETWEEN 1 AND 500 AND path !~ '(^/|\.\.)'),
    bytes bigint NOT NULL CHECK (bytes >= 0),
    milliseconds bigint NOT NULL CHECK (milliseconds >= 0),
    PRIMARY KEY (call_id, epoch, kind, path)
) PARTITION BY RANGE (call_id);
SELECT parley_protect('call_artifacts', 'SELECT, INSERT', NULL);

-- The rated lines of a call's bill, written once by its settlement.
CREATE TABLE call_costs (
    tenant_id uuid NOT NULL,
    call_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    ended_at timestamptz NOT NULL,
    component text NOT NULL,
    source text NOT NULL,
    unit text NOT NULL,
    quantity bigint NOT NULL,
    billed bigint NOT NULL,
    price_nanos bigint NOT NULL,
    per bigint NOT NULL,
    amount_nanos bigint NOT NULL CHECK (amount_nanos >= 0),
    PRIMARY KEY (call_id, component, source, unit)
) PARTITION BY RANGE (call_id);
CREATE INDEX call_costs_of_tenant ON call_costs (tenant_id, ended_at);
SELECT parley_protect('call_costs', 'SELECT, INSERT', NULL);

-- The queue's truth -------------------------------------------------------------------------------------------

-- Calls that wait for a free slot of their tenant; the relay deletes a row when it rings the call.
CREATE TABLE outbox (
    id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    call_id uuid NOT NULL,
    region text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_of_tenant ON outbox (region, tenant_id, id);
CREATE INDEX outbox_of_call ON outbox (call_id);
SELECT parley_protect('outbox', 'SELECT, INSERT, DELETE', 'SELECT, UPDATE, DELETE');

-- Who is alive. Not a tenant's: workers serve all. Leases are judged on this server's clock only.
CREATE TABLE workers (
    id uuid PRIMARY KEY,
    region text NOT NULL CHECK (length(region) BETWEEN 1 AND 32),
    media_url text NOT NULL CHECK (length(media_url) BETWEEN 1 AND 500),
    capacity int NOT NULL CHECK (capacity BETWEEN 0 AND 100000),
    is_draining boolean NOT NULL DEFAULT false,
    live_calls int NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX workers_expiry ON workers (expires_at);
ALTER TABLE workers ENABLE ROW LEVEL SECURITY;
ALTER TABLE workers FORCE ROW LEVEL SECURITY;
CREATE POLICY platform ON workers TO parley_platform USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON workers TO parley_platform;

-- Money -------------------------------------------------------------------------------------------------------

-- Sums of a tenant's postings up to `position`, kept under the row's own lock: every posting of a tenant is written
-- while its wallet is locked, so the cache cannot miss one.
CREATE TABLE wallets (
    tenant_id uuid PRIMARY KEY REFERENCES tenants (id),
    available_nanos bigint NOT NULL DEFAULT 0 CHECK (available_nanos >= 0),
    held_nanos bigint NOT NULL DEFAULT 0 CHECK (held_nanos >= 0),
    debt_nanos bigint NOT NULL DEFAULT 0 CHECK (debt_nanos <= 0),
    position bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now()
);
SELECT parley_protect('wallets', 'SELECT, INSERT, UPDATE', 'SELECT');

CREATE TABLE ledger_accounts (
    tenant_id uuid NOT NULL REFERENCES wallets (tenant_id),
    account text NOT NULL CHECK (account IN ('available', 'held', 'debt', 'revenue', 'funding')),
    PRIMARY KEY (tenant_id, account)
);
SELECT parley_protect('ledger_accounts', 'SELECT, INSERT', 'SELECT');

-- Named by what caused it: (call, hold, n), (call, settlement, 0), (top-up, top_up, 0). Written once, never changed.
CREATE TABLE ledger_entries (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('hold', 'settlement', 'top_up')),
    number int NOT NULL CHECK (number >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, kind, number)
) PARTITION BY RANGE (id);
SELECT parley_protect('ledger_entries', 'SELECT, INSERT', 'SELECT');

CREATE SEQUENCE ledger_position;
GRANT USAGE ON SEQUENCE ledger_position TO parley_app;

CREATE TABLE ledger_postings (
    tenant_id uuid NOT NULL,
    entry_id uuid NOT NULL,
    kind text NOT NULL,
    number int NOT NULL,
    account text NOT NULL,
    amount_nanos bigint NOT NULL CHECK (amount_nanos <> 0),
    position bigint NOT NULL DEFAULT nextval('ledger_position'),
    PRIMARY KEY (entry_id, kind, number, account),
    FOREIGN KEY (tenant_id, account) REFERENCES ledger_accounts (tenant_id, account)
) PARTITION BY RANGE (entry_id);
CREATE INDEX ledger_postings_of_tenant ON ledger_postings (tenant_id, account);
SELECT parley_protect('ledger_postings', 'SELECT, INSERT', 'SELECT');

CREATE FUNCTION parley_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    total numeric;
BEGIN
    SELECT sum(amount_nanos) INTO total FROM public.ledger_postings
        WHERE entry_id = NEW.entry_id AND kind = NEW.kind AND number = NEW.number;
    IF total <> 0 THEN
        RAISE EXCEPTION 'entry % % % does not balance', NEW.entry_id, NEW.kind, NEW.number USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_postings_balance AFTER INSERT ON ledger_postings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION parley_entry_balances();

CREATE TABLE holds (
    tenant_id uuid NOT NULL,
    call_id uuid NOT NULL PRIMARY KEY,
    amount_nanos bigint NOT NULL CHECK (amount_nanos >= 0),
    -- Extensions made; connected time paid for is (number + 1) minutes.
    number int NOT NULL DEFAULT 0 CHECK (number >= 0),
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'captured', 'released')),
    captured_nanos bigint NOT NULL DEFAULT 0 CHECK (captured_nanos BETWEEN 0 AND amount_nanos),
    created_at timestamptz NOT NULL DEFAULT now(),
    closed_at timestamptz,
    CHECK ((state = 'open') = (closed_at IS NULL))
) PARTITION BY RANGE (call_id);
CREATE INDEX holds_open ON holds (tenant_id) WHERE state = 'open';
SELECT parley_protect('holds', 'SELECT, INSERT, UPDATE', 'SELECT');

-- Webhooks ----------------------------------------------------------------------------------------------------

CREATE TABLE webhook_endpoints (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    url text NOT NULL CHECK (length(url) BETWEEN 1 AND 2000),
    events text[] NOT NULL,
    sealed_secret bytea NOT NULL,
    is_enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id)
);
SELECT parley_protect('webhook_endpoints', 'SELECT, INSERT, DELETE, UPDATE (url, events, is_enabled)', 'SELECT, UPDATE (is_enabled)');

-- Written in the SQL transaction of what they tell; one of a type about a subject.
CREATE TABLE webhook_messages (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    subject_id uuid NOT NULL,
    type text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (subject_id, type)
);
CREATE INDEX webhook_messages_age ON webhook_messages (created_at);
SELECT parley_protect('webhook_messages', 'SELECT, INSERT', 'SELECT, DELETE');

CREATE TABLE webhook_deliveries (
    tenant_id uuid NOT NULL,
    message_id uuid NOT NULL,
    endpoint_id uuid NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts int NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT now(),
    last_status int,
    last_error text,
    delivered_at timestamptz,
    PRIMARY KEY (tenant_id, message_id, endpoint_id),
    FOREIGN KEY (tenant_id, message_id) REFERENCES webhook_messages (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, endpoint_id) REFERENCES webhook_endpoints (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_at) WHERE state = 'pending';
SELECT parley_protect('webhook_deliveries', 'SELECT, INSERT', 'SELECT, UPDATE');

REVOKE EXECUTE ON FUNCTION parley_call_rank(text), parley_call_forward(), parley_entry_balances() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION parley_call_rank(text) TO parley_app, parley_platform;
SELECT parley_keep_partitions();
