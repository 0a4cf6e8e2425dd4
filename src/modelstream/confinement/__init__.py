"""Processes that untrusted bytes can do no harm from: how they are confined and spoken with.

`confine` takes everything away from a process, `seccomp` filters its system calls, `frames` is how
one talks over a socket, and `spawn` starts the process that forks them. What runs inside is the
business of `models` (checks) and of the formats that have a runtime of their own.
"""
