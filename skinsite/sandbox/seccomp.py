"""A seccomp filter in plain ctypes: which system calls a process that holds an untrusted file may still make.

The filter is a small program of classic BPF (see seccomp(2) and linux/filter.h) that the kernel runs at each call.
Threads, memory and files stay; programs, processes, the network, other processes and the kernel's own doors go.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterator
from dataclasses import dataclass

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_GET_SECCOMP = 38, 22, 21
SECCOMP_MODE_FILTER = 2

LOAD_WORD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_SET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
KILL, ALLOW, FAIL = 0x8000_0000, 0x7FFF_0000, 0x0005_0000
NUMBER_AT, ARCHITECTURE_AT, FIRST_ARGUMENT_AT = 0, 4, 16

CLONE_THREAD = 0x0001_0000
FIRST_UNKNOWN = 463  # setxattrat; what is newer than the lists below does not exist for the child
X32_BIT = 0x4000_0000

# name: number on x86_64, number on aarch64 (asm/unistd_64.h, asm-generic/unistd.h of Linux 6.12)
DENIED: dict[str, tuple[int | None, int | None]] = {
    # programs and processes
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "kcmp": (312, 272),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # the network and other channels; memory that no watch on this process sees
    "socket": (41, 198),
    "socketpair": (53, 199),
    "connect": (42, 203),
    "bind": (49, 200),
    "listen": (50, 201),
    "accept": (43, 202),
    "accept4": (288, 242),
    "sendto": (44, 206),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    # what Landlock does not cover: owner, mode and times of files of the same user
    "truncate": (76, 45),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    # the kernel's doors
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "userfaultfd": (323, 282),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "syslog": (103, 116),
    "personality": (135, 92),
    "fanotify_init": (300, 262),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
}
SPECIAL = {"clone": (56, 220), "clone3": (435, 435), "kill": (62, 129), "tgkill": (234, 131), "prlimit64": (302, 261)}


@dataclass(frozen=True)
class Machine:
    """The column of the tables above and the kernel's name of the architecture."""

    column: int
    audit: int


MACHINES = {"x86_64": Machine(0, 0xC000_003E), "aarch64": Machine(1, 0xC000_00B7)}


class _Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("k", ctypes.c_uint32)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.POINTER(_Instruction))]


Line = tuple[int, int, int, int]


def is_available() -> bool:
    """Whether this kernel and machine know seccomp filters and our table of call numbers."""
    libc = ctypes.CDLL(None, use_errno=True)
    return platform.machine() in MACHINES and libc.prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0


def install() -> None:
    """Put the filter on this process, for good. Raises OSError; call it before the first thread is started."""
    lines = list(_filter(MACHINES[platform.machine()], os.getpid()))
    instructions = (_Instruction * len(lines))(*(_Instruction(*line) for line in lines))
    program = _Program(len(lines), instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _checked(libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0))


def program_bytes(machine: str, pid: int) -> bytes:
    """The filter as the kernel reads it, eight bytes an instruction."""
    return b"".join(struct.pack("=HBBI", *line) for line in _filter(MACHINES[machine], pid))


def _filter(machine: Machine, pid: int) -> Iterator[Line]:
    yield LOAD_WORD, 0, 0, ARCHITECTURE_AT
    yield JUMP_EQUAL, 1, 0, machine.audit
    yield RETURN, 0, 0, KILL
    yield LOAD_WORD, 0, 0, NUMBER_AT
    yield JUMP_AT_LEAST, 0, 1, X32_BIT
    yield RETURN, 0, 0, KILL
    yield JUMP_AT_LEAST, 0, 1, FIRST_UNKNOWN
    yield RETURN, 0, 0, FAIL | errno.ENOSYS
    yield from _fail(SPECIAL["clone3"][machine.column], errno.ENOSYS)  # the C library then falls back to clone
    for numbers in DENIED.values():
        number = numbers[machine.column]
        if number is not None:
            yield from _fail(number, errno.EPERM)
    yield from _only_with_flag(SPECIAL["clone"][machine.column], CLONE_THREAD)
    yield from _only_for(SPECIAL["kill"][machine.column], (pid,))
    yield from _only_for(SPECIAL["tgkill"][machine.column], (pid,))
    yield from _only_for(SPECIAL["prlimit64"][machine.column], (0, pid))
    yield RETURN, 0, 0, ALLOW


def _fail(number: int, error: int) -> Iterator[Line]:
    yield JUMP_EQUAL, 0, 1, number
    yield RETURN, 0, 0, FAIL | error


def _only_with_flag(number: int, flag: int) -> Iterator[Line]:
    yield JUMP_EQUAL, 0, 4, number
    yield LOAD_WORD, 0, 0, FIRST_ARGUMENT_AT
    yield JUMP_SET, 0, 1, flag
    yield RETURN, 0, 0, ALLOW
    yield RETURN, 0, 0, FAIL | errno.EPERM


def _only_for(number: int, values: tuple[int, ...]) -> Iterator[Line]:
    yield JUMP_EQUAL, 0, 2 * len(values) + 2, number
    yield LOAD_WORD, 0, 0, FIRST_ARGUMENT_AT
    for value in values:
        yield JUMP_EQUAL, 0, 1, value
        yield RETURN, 0, 0, ALLOW
    yield RETURN, 0, 0, FAIL | errno.EPERM


def _checked(answer: int) -> None:
    if answer != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"seccomp: {os.strerror(code)}")
