"""A campaign of faults against a real server under load, and the check that no job suffered."""
