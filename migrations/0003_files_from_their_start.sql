-- A file of a call is told when it is begun and again when it is finished, then with its size.
GRANT UPDATE (bytes, milliseconds) ON call_artifacts TO parley_app;
