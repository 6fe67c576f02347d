"""The jobrunner: reads what is ready, decides, and gives leases to Odoo's HTTP workers.

One per server process tree; for each database one of all runners leads. It has no registry and
runs no user code.
"""

from . import server
from .runner import QueueJobRunner
from .server import WorkerJobRunner

server.install()
