"""Events of the devices room. Payloads hold ids only; a change of state is ``devices.<state>`` with ``id`` and ``action``."""

BOUND = "devices.bound"  # id (device), binding, person or facility: the gateway and the desk learn whose it is
UNBOUND = "devices.unbound"  # id (device), binding, person or facility
SETTINGS = "devices.settings"  # id (device): SOS numbers, interval, quiet hours, commands
REGISTERED = "devices.registered"  # count: many at once, by a list

COMMANDED = "devices.commanded"  # id (device), command: the gateway that has the device sends it
COMMAND_ENDED = "devices.command_ended"  # id (device), command, state
