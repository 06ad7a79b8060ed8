-- How long a routed request's first token was expected to take; NULL: told by a worker that did not say.
ALTER TABLE call_routes ADD COLUMN expected_wait_ms int CHECK (expected_wait_ms >= 0);
