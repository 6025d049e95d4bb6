"""Which files manifest lists and manifests name, read without trusting their size.

Avro containers are walked block by block: a block is decompressed up to a limit only, so that a small file cannot
fill the memory. Source: the Iceberg table specification (manifests, manifest lists) and the Avro specification
(object container files).
"""

import io
import zlib
from collections.abc import Iterator
from typing import Any

import cramjam
import zstandard
from fastavro import parse_schema, reader, schemaless_reader

from app.errors import ServiceError, ValidationException

_SYNC_BYTES = 16


def manifest_paths(data: bytes, max_block_bytes: int) -> Iterator[str]:
    """Yield the location of every manifest that a manifest list names.

    :raises ValidationException: when ``data`` is no manifest list, or a block is larger than ``max_block_bytes``
    """
    for record in _records(data, max_block_bytes):
        yield _text(record.get("manifest_path"))


def content_paths(data: bytes, max_block_bytes: int) -> Iterator[str]:
    """Yield the location of every data file, delete file and deletion vector that a manifest names.

    Entries of deleted files are among them; a location may come more than once.

    :raises ValidationException: when ``data`` is no manifest, or a block is larger than ``max_block_bytes``
    """
    for record in _records(data, max_block_bytes):
        yield _text((record.get("data_file") or {}).get("file_path"))


def _records(data: bytes, max_block_bytes: int) -> Iterator[dict[str, Any]]:
    try:
        stream = io.BytesIO(data)
        header: Any = reader(stream)
        schema = parse_schema(header.writer_schema)
        for count, block in _blocks(stream, header.codec, max_block_bytes):
            records = io.BytesIO(block)
            for _ in range(count):
                record: Any = schemaless_reader(records, schema, None)
                yield record
    except ServiceError:
        raise
    except Exception as error:
        raise ValidationException(f"not a readable Avro file ({type(error).__name__}: {error})") from error


def _blocks(stream: io.BytesIO, codec: str, max_bytes: int) -> Iterator[tuple[int, bytes]]:
    """Yield the number of records and the decompressed bytes of each block behind the header."""
    while (count := _read_long(stream)) is not None:
        size = _read_long(stream)
        if size is None or size < 0:
            raise ValidationException("an Avro block has no size")
        packed = stream.read(size)
        if len(packed) < size or len(stream.read(_SYNC_BYTES)) < _SYNC_BYTES:
            raise ValidationException("an Avro block is cut short")
        block = _decompress(packed, codec, max_bytes)
        # No record of a manifest is empty; a larger count would have us loop over nothing.
        if not 0 <= count <= len(block):
            raise ValidationException("an Avro block has a wrong number of records")
        yield count, block


def _read_long(stream: io.BytesIO) -> int | None:
    """Read Avro's zigzag variable-length integer; None at the end of the file."""
    value, shift = 0, 0
    while byte := stream.read(1):
        value |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            return (value >> 1) ^ -(value & 1)
        if shift > 63:
            raise ValidationException("an Avro integer is too long")
    return None


def _decompress(block: bytes, codec: str, max_bytes: int) -> bytes:
    if codec == "null":
        return block
    if codec == "deflate":
        decompressor = zlib.decompressobj(wbits=-15)
        plain = decompressor.decompress(block, max_bytes + 1)
        if len(plain) <= max_bytes and not decompressor.eof:
            raise ValidationException("an Avro block is cut short")
    elif codec == "snappy":
        plain = _decompress_snappy(block, max_bytes)
    elif codec == "zstandard":
        with zstandard.ZstdDecompressor().stream_reader(block) as stream:
            plain = stream.read(max_bytes + 1)
    else:
        raise ValidationException(f"its Avro codec {codec!r} is not supported")
    if len(plain) > max_bytes:
        raise ValidationException(f"an Avro block is larger than {max_bytes} bytes when decompressed")
    return plain


def _decompress_snappy(block: bytes, max_bytes: int) -> bytes:
    """Snappy says its size up front; Avro adds a checksum of the plain bytes."""
    packed, checksum = block[:-4], block[-4:]
    if cramjam.snappy.decompress_raw_len(packed) > max_bytes:
        raise ValidationException(f"an Avro block is larger than {max_bytes} bytes when decompressed")
    plain = bytes(cramjam.snappy.decompress_raw(packed))
    if zlib.crc32(plain) != int.from_bytes(checksum, "big"):
        raise ValidationException("an Avro block has a wrong checksum")
    return plain


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValidationException("an entry names no file")
    return value
