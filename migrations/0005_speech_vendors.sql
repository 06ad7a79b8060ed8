-- Accounts at vendors of speech.
ALTER TABLE credentials DROP CONSTRAINT credentials_vendor_check;
ALTER TABLE credentials ADD CONSTRAINT credentials_vendor_check
    CHECK (
        vendor IN ('twilio', 'openai', 'anthropic', 'compatible', 'deepgram', 'cartesia', 'elevenlabs'));
