from . import controllers, jobrunner, models
from .identity import identity_exact
