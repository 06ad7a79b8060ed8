-- Accounts at vendors of speech.
ALTER TABLE credentials DROP CONSTRAINT credentials_vendor_check,
    ADD CONSTRAINT credentials_vendor_check
        CHECK (vendor IN ('twilio', 'openai', 'deepgram', 'cartesia', 'elevenlabs'));
