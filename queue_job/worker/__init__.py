"""Running jobs in this process: those of a lease that the jobrunner asks for, or of a drain."""
