"""The rules of the programme as pure functions over plain data: no I/O, no clock, no chance."""
