from . import controllers, jobrunner, models, wizard
from .identity import identity_exact
