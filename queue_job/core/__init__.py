"""Pure decisions of the job queue: states, channels, scheduling, retries, argument codec.

Imports the standard library only, reads no clock (``now`` is always a parameter) and touches no
database, socket or file, so that every rule can be tested in milliseconds.
"""
