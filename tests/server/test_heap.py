import ctypes
import subprocess
import sys

import pytest

# Blocks that are mapped by themselves, of one that is made after a larger one was freed.
PROGRAM = """
import ctypes
import sys
from rekog_emotion.server.heap import give_back_large_blocks

class Numbers(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "arena ordblks smblks hblks hblkhd a b c d e".split()]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Numbers
if sys.argv[1] == "True":
    give_back_large_blocks()
bytearray(16_000_000)
before = libc.mallinfo2().hblks
block = bytearray(8_000_000)
print(libc.mallinfo2().hblks - before)
"""
IS_GLIBC = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "mallinfo2")


@pytest.mark.skipif(not IS_GLIBC, reason="the C library is not glibc, or older than 2.33")
@pytest.mark.parametrize("is_set_up", [False, True])
def test_large_blocks_are_mapped(is_set_up):
    """They go back to the machine when they are freed, which by default those after the first do not."""
    command = [sys.executable, "-c", PROGRAM, str(is_set_up)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)  # noqa: S603 -- our own

    assert (done.stdout, done.stderr) == (f"{int(is_set_up)}\n", "")
