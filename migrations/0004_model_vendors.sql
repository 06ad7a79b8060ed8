-- Language models of more vendors than one.
ALTER TABLE credentials DROP CONSTRAINT credentials_vendor_check;
ALTER TABLE credentials ADD CONSTRAINT credentials_vendor_check
    CHECK (vendor IN ('twilio', 'openai', 'anthropic', 'compatible'));
