from . import controllers, jobrunner, logs, models, wizard
from .current import current_job
from .identity import identity_exact
from .worker import stage

logs.install()
stage.install()
