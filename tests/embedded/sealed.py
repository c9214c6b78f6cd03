"""Run a program that can open no socket: ``sealed.py PROGRAM``. Behind its own output comes what it wrote, as JSON.

It ends at the first socket: that of Python by an audit hook, on Linux that of a native library by the kernel.
"""

import ctypes
import json
import os
import platform
import struct
import sys

# The number of the system call, and the kernel's name of the architecture.
CALLS = {"x86_64": (41, 0xC000003E), "aarch64": (198, 0xC00000B7)}
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, KILL_PROCESS = 0x7FFF0000, 0x80000000
SET_NO_NEW_PRIVILEGES, SET_SECCOMP, MODE_FILTER = 38, 22, 2


class Filter(ctypes.Structure):
    """What prctl() takes: a number of instructions and where they are."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def is_sealable() -> bool:
    """Tell whether the kernel can be asked to watch for sockets."""
    return sys.platform == "linux" and platform.machine() in CALLS


def seal() -> None:
    """Have the kernel end this process where it opens a socket."""
    number, architecture = CALLS[platform.machine()]
    instructions = [
        (LOAD, 0, 0, 4),  # the architecture
        (JUMP_IF_EQUAL, 0, 3, architecture),
        (LOAD, 0, 0, 0),  # the number of the system call
        (JUMP_IF_EQUAL, 0, 1, number),
        (RETURN, 0, 0, KILL_PROCESS),
        (RETURN, 0, 0, ALLOW),
    ]
    packed = b"".join(struct.pack("HBBI", *one) for one in instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    for arguments in (
        (SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0),
        (SET_SECCOMP, MODE_FILTER, ctypes.byref(Filter(len(instructions), packed)), 0, 0),
    ):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def main() -> None:
    """Seal the process, run the program, and tell what it opened to write."""
    written = []

    def watch(event: str, arguments: tuple) -> None:
        if event.startswith("socket.") and event != "socket.gethostname":
            os.write(2, f"{event}\n".encode())
            os._exit(1)  # an exception could be caught
        if event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            written.append(str(arguments[0]))

    sys.addaudithook(watch)
    if is_sealable():
        seal()
    exec(sys.argv[1], {"__name__": "__main__"})  # noqa: S102 -- the test's own program
    print(json.dumps(written))  # noqa: T201 -- a script


if __name__ == "__main__":
    main()
