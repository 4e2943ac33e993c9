"""The process that reads a WandB or TensorBoard file with their own libraries; `metric_library.py` starts it.

A process of its own, so that the server imports neither, and a file that makes a library hang or eat memory
costs nothing but this process. Its `Task` comes as JSON on stdin, the file as an open descriptor. On
stdout it writes a row of metrics as JSON a line, as a training script would, and as the last line

    {"end": 4096, "more": false, "bad": null}

the offset from where to go on, whether there is more to read at once, and what is wrong with the file there.
Without that line nothing of the rest counts.

Both kinds of file are logs to which records are appended. Their framing is read here, since neither library
can begin in the middle of a file; what the records hold is read by the libraries.
"""

import importlib
import json
import os
import resource
import signal
import struct
import sys
import time
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

MEMORY = 1 << 30
"""Bytes of address space."""
MOST_OUTPUT = 1 << 25
_BLOCK = 1 << 15
_MAGIC = b":W&B"
_FULL, _LAST = 1, 4
_TENSORS = {1, 2, 3, 4, 5, 6, 9, 14, 17, 19, 22, 23}
"""The numbers among TensorFlow's `DataType`s."""

Record = tuple[bytes, int]
"""What a record holds, and where the next one begins."""
Row = dict[str, Any]


class Task(NamedTuple):
    """What to read: from `offset` on, up to `limit` bytes. After `seconds` it is killed; it stops before."""

    kind: str
    descriptor: int
    offset: int
    limit: int
    seconds: float


class Damaged(Exception):
    """Here is something that these files don't hold."""


def main() -> None:
    """Do what stdin says."""
    task = Task(**json.loads(sys.stdin.buffer.read()))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, task.seconds)
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY if most < 0 else min(MEMORY, most), most))
    answer = os.dup(1)
    os.dup2(2, 1)  # libraries may have something to say
    with os.fdopen(answer, "wb") as out:
        out.write(b"".join(read(task)))


def read(task: Task) -> Iterator[bytes]:
    """The lines of the answer."""
    data = os.pread(task.descriptor, task.limit, task.offset)
    records, row_of = (
        (wandb_records(data, task.offset), wandb_rows())
        if task.kind == "wandb"
        else (tensorboard_records(data), tensorboard_rows())
    )
    end, written, bad = task.offset, 0, None
    more = len(data) == task.limit
    until = time.monotonic() + task.seconds / 2
    try:
        for record, size in records:
            row = row_of(record)
            if row is not None:
                line = json.dumps(row).encode() + b"\n"
                yield line
                written += len(line)
            end = task.offset + size
            if written > MOST_OUTPUT or time.monotonic() > until:
                more = True
                break
        if more and end == task.offset:
            raise Damaged(f"a record of more than {task.limit:,} bytes")
    except Exception as problem:  # noqa: BLE001 - whatever a library says to a file that it doesn't understand
        bad = f"{type(problem).__name__}: {problem}"[:500]
    yield json.dumps({"end": end, "more": more, "bad": bad}).encode() + b"\n"


# -- WandB ---------------------------------------------------------------------------------------------


def wandb_records(data: bytes, offset: int) -> Iterator[Record]:
    """Records in the framing of LevelDB's log, https://github.com/google/leveldb/blob/main/doc/log_format.md.

    Its CRC is zlib's here. Blocks count from the file's beginning, where WandB has a header of seven bytes.
    """
    at, record = 0, b""
    if offset == 0:
        if len(data) < 7:
            return
        if not data.startswith(_MAGIC):
            raise Damaged("not a WandB file")
        at = 7
    while at + 7 <= len(data):
        left = _BLOCK - (offset + at) % _BLOCK
        if left < 7:
            at += left
            continue
        crc, size, kind = struct.unpack_from("<IHB", data, at)
        if kind == 0 and size == 0:  # what is left of the block was not used
            at += left
            continue
        piece = data[at + 7 : at + 7 + size]
        if len(piece) < size:
            return
        if zlib.crc32(piece, zlib.crc32(bytes([kind]))) != crc:
            raise Damaged(f"damaged at offset {offset + at}")
        at += 7 + size
        record += piece
        if kind in (_FULL, _LAST):
            yield record, at
            record = b""


def wandb_rows() -> Any:
    """From a record to what `run.log()` was given, or None when it is about something else."""
    parse = importlib.import_module("wandb.proto.wandb_internal_pb2").Record.FromString

    def row_of(record: bytes) -> Row | None:
        message = parse(record)
        if not message.HasField("history"):
            return None
        row: Row = {"_step": message.history.step.num}
        found = {}
        for item in message.history.item:
            found[tuple(item.nested_key) or (item.key,)] = json.loads(item.value_json)
        media = {path[:-1] for path in found if path[-1] == "_type"}  # images and the like
        for path, value in found.items():
            is_media = any(path[:length] in media for length in range(1, len(path)))
            if not is_media and not (isinstance(value, dict) and "_type" in value):
                row["/".join(path)] = value
        return row

    return row_of


# -- TensorBoard ---------------------------------------------------------------------------------------


def tensorboard_records(data: bytes) -> Iterator[Record]:
    """Records in the framing of TFRecord, https://www.tensorflow.org/tutorials/load_data/tfrecord.

    The length's CRC tells whether it is one. That of the data is not looked at: the library's takes
    a second a megabyte.
    """
    stub = importlib.import_module("tensorboard.compat.tensorflow_stub.pywrap_tensorflow")
    at = 0
    while at + 12 <= len(data):
        size, crc = struct.unpack_from("<QI", data, at)
        if stub.masked_crc32c(data[at : at + 8]) != crc:
            raise Damaged("not an event file" if at == 0 else "damaged")
        end = at + 12 + size + 4
        if end > len(data):
            return
        yield data[at + 12 : end - 4], end
        at = end


def tensorboard_rows() -> Any:
    """From an event to its scalars, or None when it has none."""
    parse = importlib.import_module("tensorboard.compat.proto.event_pb2").Event.FromString

    def row_of(record: bytes) -> Row | None:
        event = parse(record)
        row: Row = {}
        for value in event.summary.value:
            kind = value.WhichOneof("value")
            if kind == "simple_value":
                row[value.tag] = value.simple_value
            elif kind == "tensor" and not value.tensor.tensor_shape.dim and value.tensor.dtype in _TENSORS:
                util = importlib.import_module("tensorboard.util.tensor_util")  # with numpy, only when needed
                row[value.tag] = util.make_ndarray(value.tensor).item()
        return {"_step": event.step, **row} if row else None

    return row_of


if __name__ == "__main__":
    main()
