from . import cli, controllers, jobrunner, models
from .identity import identity_exact
