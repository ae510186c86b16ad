from . import _command

_command()
