"""Pictures of a symbol's modules and what zxing-cpp, the oracle, reads in them."""

import struct
import zlib
from collections.abc import Sequence

import pypdfium2
import zxingcpp


def modules_of(widths: Sequence[int]) -> str:
    """``1`` for a black module, ``0`` for a white one."""
    return "".join(str(1 - place % 2) * width for place, width in enumerate(widths))


def row_of(modules: str, px: int) -> bytes:
    """One line of grey pixels: quiet zones of 10 modules and ``px`` pixels a module."""
    padded = f"{'0' * 10}{modules}{'0' * 10}"
    return bytes(255 * (module == "0") for module in padded for _ in range(px))


def resample(row: bytes, factor: float) -> bytes:
    """The line as a browser shows it that scales a picture, by linear interpolation."""
    wide = int(len(row) * factor)
    scaled: list[int] = []
    for place in range(wide):
        where = min(max((place + 0.5) / factor - 0.5, 0.0), len(row) - 1.0)
        left = int(where)
        right = min(left + 1, len(row) - 1)
        scaled.append(round(row[left] + (row[right] - row[left]) * (where - left)))
    return bytes(scaled)


def read(row: bytes, height: int = 40) -> list[tuple[str, str]]:
    """(digits, symbology identifier) of every symbol that the oracle finds in lines like this."""
    return read_picture([row] * height)


def read_picture(rows: Sequence[bytes]) -> list[tuple[str, str]]:
    """The same for a whole picture, given as lines of grey pixels."""
    picture = memoryview(b"".join(rows)).cast("B", shape=[len(rows), len(rows[0])])
    return [
        (found.bytes.decode("ascii"), found.symbology_identifier)
        for found in zxingcpp.read_barcodes(picture)
    ]


def grey_of(png: bytes) -> list[bytes]:
    """The lines of a browser's screenshot, by its green channel.

    Source: PNG specification §7.2 (scan lines), §9.2 (filters); 8 bits, no interlacing.
    """
    width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    assert (depth, colour in {2, 6}) == (8, True)
    size = 3 if colour == 2 else 4
    place, packed = 8, b""
    while place < len(png):
        length = int.from_bytes(png[place : place + 4], "big")
        if png[place + 4 : place + 8] == b"IDAT":
            packed += png[place + 8 : place + 8 + length]
        place += length + 12
    raw, stride = zlib.decompress(packed), width * size
    above, lines = bytes(stride), []
    for row in range(height):
        start = row * (stride + 1)
        above = _unfilter(raw[start], raw[start + 1 : start + 1 + stride], above, size)
        lines.append(above[1::size])
    return lines


def _unfilter(kind: int, line: bytes, above: bytes, size: int) -> bytes:
    out = bytearray(line)
    for place in range(len(out)):
        left = out[place - size] if place >= size else 0
        corner = above[place - size] if place >= size else 0
        guess = (0, left, above[place], (left + above[place]) // 2, 0)[kind]
        if kind == 4:
            near = left + above[place] - corner
            guess = min((left, above[place], corner), key=lambda value: abs(near - value))
        out[place] = (out[place] + guess) & 0xFF
    return bytes(out)


def dots_of(pdf: bytes, dpi: int) -> list[bytes]:
    """The first page's dots, line by line in grey, as a printer's driver makes them."""
    page = pypdfium2.PdfDocument(pdf)[0]
    picture = page.render(scale=dpi / 72, grayscale=True)
    dots, step = bytes(picture.buffer), picture.stride
    return [dots[at : at + picture.width] for at in range(0, step * picture.height, step)]
