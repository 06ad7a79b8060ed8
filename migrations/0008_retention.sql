-- Days from a call's end for which what was said in it is kept; 0: for good.
ALTER TABLE tenants ADD COLUMN retention_days int NOT NULL DEFAULT 0 CHECK (retention_days BETWEEN 0 AND 3650);
GRANT UPDATE (retention_days) ON tenants TO parley_app;

-- Since when a call's files, words and variables are gone. What it cost, when it was and between which numbers stays.
ALTER TABLE calls ADD COLUMN forgotten_at timestamptz CHECK (forgotten_at IS NULL OR state = 'ended');
CREATE INDEX calls_remembered ON calls (tenant_id, ended_at) WHERE state = 'ended' AND forgotten_at IS NULL;
GRANT DELETE ON call_turns, call_artifacts TO parley_app;
