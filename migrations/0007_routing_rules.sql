-- What a tenant lays down for the routing of its agents: {"floor": "probe", "day_budget": "20.00"}, either may be missing.
ALTER TABLE tenants ADD COLUMN routing jsonb NOT NULL DEFAULT '{}';
GRANT UPDATE (routing) ON tenants TO parley_app;

-- What a tenant's routed requests of its last day cost, in parts of one call in sixteen each.
CREATE TABLE routing_days (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    slot int NOT NULL CHECK (slot >= 0),
    day date NOT NULL,
    spent_nanos bigint NOT NULL CHECK (spent_nanos >= 0),
    PRIMARY KEY (tenant_id, slot)
);
SELECT parley_protect('routing_days', 'SELECT, INSERT, UPDATE', NULL);
