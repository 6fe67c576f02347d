from . import main, monitoring
