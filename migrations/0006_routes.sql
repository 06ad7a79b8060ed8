-- Which model each routed request of a call was sent to, why, and what it cost beside what one model alone would have.
CREATE TABLE call_routes (
    tenant_id uuid NOT NULL,
    call_id uuid NOT NULL,
    epoch int NOT NULL,
    number int NOT NULL CHECK (number >= 1),
    -- The caller's turn that was answered; 0 before the first.
    turn int NOT NULL CHECK (turn >= 0),
    is_draft boolean NOT NULL,
    mode text NOT NULL CHECK (length(mode) BETWEEN 1 AND 20),
    -- In shadow mode what would have been done.
    shadowed text CHECK (length(shadowed) BETWEEN 1 AND 20),
    -- Empty: nobody answered.
    model text NOT NULL CHECK (length(model) <= 100),
    reason text NOT NULL CHECK (length(reason) <= 500),
    tool_probability double precision NOT NULL CHECK (tool_probability BETWEEN 0 AND 1),
    expected_nanos bigint NOT NULL CHECK (expected_nanos >= 0),
    spent_nanos bigint NOT NULL CHECK (spent_nanos >= 0),
    always_strong_nanos bigint NOT NULL CHECK (always_strong_nanos >= 0),
    always_cheap_nanos bigint NOT NULL CHECK (always_cheap_nanos >= 0),
    handed_over boolean NOT NULL,
    PRIMARY KEY (call_id, epoch, number)
) PARTITION BY RANGE (call_id);
SELECT parley_protect('call_routes', 'SELECT, INSERT', NULL);
SELECT parley_keep_partitions();
