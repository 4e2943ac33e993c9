"""The sidecar: the small process that supervises one command, from the standard library alone.

It runs under `python -I -S` and imports little before the command has started, so modules here keep
away from costly imports (dataclasses, typing, pathlib) on purpose. The server imports `spec` and
`procs` from here, so that both sides agree on the spec file and on what it is for a process to live.
"""
