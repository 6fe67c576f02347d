-- The jobs of the original must not run here, and those that are delayed here wait for a release.
UPDATE ir_config_parameter SET value = 'neutralized' WHERE key = 'queue_job.home';
