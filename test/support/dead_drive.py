"""Mounts a file system whose server never answers, as a share does whose server is gone. Ends with its stdin."""

import ctypes
import os
import sys

libc = ctypes.CDLL(None, use_errno=True)
server = os.open("/dev/fuse", os.O_RDWR)
place = sys.argv[1].encode()
options = f"fd={server},rootmode=40000,user_id=0,group_id=0".encode()
if libc.mount(b"dead", place, b"fuse.dead", 6, options) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
print("dead", flush=True)
sys.stdin.read()
detached = 2
libc.umount2(place, detached)
