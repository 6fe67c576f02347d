"""OpenTelemetry as a site sets it up, or taken away, by the environment of the server.

``TEST_QUEUE_JOB_SPANS`` is the file that spans are written to, a line of JSON for each;
``TEST_QUEUE_JOB_NO_TRACING`` makes a server without the library.
"""

import os
import sys

PATH = os.environ.get("TEST_QUEUE_JOB_SPANS")

if os.environ.get("TEST_QUEUE_JOB_NO_TRACING"):
    # What Python finds here it does not look for.
    sys.modules["opentelemetry"] = None
elif PATH:
    from .spans import set_up

    set_up(PATH)
