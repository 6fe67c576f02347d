"""The subcommands of ``odoo queue_job``: a module for each subject, imported when it is asked for.

Each takes the parsed options and a terminal, and returns an exit code:

=== ==========================================================
0   done
1   something was found that is wrong, or was not all done
2   the command was not understood
=== ==========================================================
"""
