"""Lays down what the fuzz targets start from, in fuzz/corpus (not committed): python3 fuzz/seed_corpus.py [CONFORMANCE [ONNX]]

Needs nothing but Python. CONFORMANCE is the conformance set's folder; without it only the sample codestreams are used.
ONNX is a folder of small ONNX files.
"""

import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).parent
SAMPLES = HERE.parent / "crates/falx-dicom/src/codec/samples"
ROWS, COLS = 23, 17
# The place of each transfer syntax in falx_fuzz::JPEG, by the beginning of the sample's name.
SYNTAXES = [("jpeg_8", 0), ("jpeg_12", 1), ("jpeg_lossless", 2), ("jpeg_ls_near", 5), ("jpeg_ls", 4), ("jpeg_2000", 6), ("htj2k", 8)]


def save(target, name, content):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def bits_of(name):
    depth = 8 if name in ("jpeg_8.jpg", "jpeg_8_restarts.jpg", "jpeg_ls_near_3.jls", "jpeg_2000.jp2", "jpeg_2000_lossy.j2k") else 12 if "12" in name or name == "jpeg_2000.j2k" else 16
    return depth - 1


for sample in sorted(SAMPLES.iterdir()):
    place = next((place for start, place in SYNTAXES if sample.name.startswith(start)), None)
    if place is not None and sample.suffix != ".py":
        for split in (0, 3 << 5):
            save("jpeg", f"{sample.name}-{split}", bytes([place, bits_of(sample.name) | split]) + sample.read_bytes())


for weights in sorted((HERE.parent / "crates/falx-nn/golden/weights").iterdir()):
    save("weights", weights.name, weights.read_bytes())


def rle(planes):
    segments = []
    for plane in planes:
        packed = b"".join(bytes([len(run) - 1]) + run for run in (plane[at : at + 128] for at in range(0, len(plane), 128)))
        segments.append(packed + b"\x80" * (len(packed) % 2))
    offsets = [64 + sum(map(len, segments[:number])) for number in range(len(segments))]
    return struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(segments))) + b"".join(segments)


plane = bytes((7 * at) % 256 for at in range(ROWS * COLS))
runs = bytes([0x81, 3]) * 3 + bytes([0x8E + 0, 5]) + b"\x80"
for choice, count in ((0, 2), (1, 2), (2, 1), (3, 4)):
    save("rle", f"literals-{choice}", bytes([choice]) + rle([plane] * count))
save("rle", "runs", bytes([2]) + struct.pack("<16I", 1, 64, *[0] * 14) + runs)
save("luts", "window", bytes([0, 4, 0, 2]) + b"40" + bytes([5, 0, 2]) + b"80")
save("luts", "lut", bytes([1, 140, 251, 14]) + struct.pack("<HHH", 4, 0xFFFE, 8) + bytes(range(8)))
save("luts", "padding", bytes([4, 2, 0, 2, 0x30, 0xF8, 3, 0, 2, 0, 0xF0, 7, 0, 3]) + b"0.5" + bytes([15, 0, 2, 14, 0]))



def packed(kind, rows, cols, widths, planes=1):
    """A slice as a cache packs it: head, the tiles' widths in bits, 16 bytes for each bit of a tile."""
    head = struct.pack("<BIIdd", kind, rows, cols, 0.5, 0.5)
    return head + (bytes(widths) + bytes((11 * at) % 256 for at in range(16 * sum(widths)))) * planes


for choice in range(3):
    save("shards", f"units-{choice}", bytes([choice]) + packed(1, 16, 8, [5]))
    save("shards", f"quarters-{choice}", bytes([choice]) + packed(2, 17, 9, [0, 3, 16, 1]))
    save("shards", f"sixteenths-{choice}", bytes([choice]) + packed(3, 3, 20, [7, 9, 12]))
    save("shards", f"floats-{choice}", bytes([choice]) + packed(4, 5, 5, [11], planes=2))
    save("shards", f"nothing-{choice}", bytes([choice]) + packed(1, 0, 0, []))

labels = ["epidural", "intraparenchymal", "intraventricular", "subarachnoid", "subdural", "any"]
long = "ID,Label\n" + "".join(f"ID_{image:x}_{label},0.{image}5\n" for image in range(9) for label in labels)
wide = "image_id," + ",".join(labels) + "\n" + "".join(f"ID_{image:x}" + f",0.{image}5" * 6 + "\n" for image in range(9))
for name, separator in (("comma", ","), ("semicolon", ";"), ("tab", "\t")):
    for form, table in (("long", long), ("wide", wide)):
        written = table.replace(",", separator).encode()
        save("submissions", f"{form}-{name}", written)
        for choice in range(3):
            save("predictions", f"{form}-{name}-{choice}", bytes([choice]) + written)

if len(sys.argv) > 1:
    for path in sorted(pathlib.Path(sys.argv[1]).rglob("*.dcm")):
        content = path.read_bytes()
        if len(content) > 64 << 10:
            continue
        name = "-".join(path.parts[-2:])
        save("file", name, content)
        save("evidence", f"file-{name}", bytes([4]) + content)
        if content[128:132] == b"DICM" and len(content) > 144:
            length = struct.unpack("<I", content[140:144])[0]
            syntax = {b"1.2.840.10008.1.2": 0, b"1.2.840.10008.1.2.1": 1, b"1.2.840.10008.1.2.2": 2, b"1.2.840.10008.1.2.1.99": 3}
            meta = content[144 : 144 + length]
            uid = meta.partition(b"\x02\x00\x10\x00UI")[2][2:66].split(b"\x02\x00")[0].rstrip(b"\0")
            if uid in syntax:
                for target in ("elements", "evidence"):
                    save(target, name, bytes([syntax[uid]]) + content[144 + length :])

if len(sys.argv) > 2:
    for path in sorted(pathlib.Path(sys.argv[2]).glob("*.onnx")):
        save("onnx", path.name, path.read_bytes())
# A version and an empty graph; one node that nothing feeds.
save("onnx", "empty", bytes([0x08, 8, 0x3A, 0, 0x42, 2, 0x10, 17]))
save("onnx", "node", bytes([0x08, 8, 0x3A, 14, 0x0A, 12, 0x0A, 1]) + b"x" + bytes([0x12, 1]) + b"y" + bytes([0x22, 4]) + b"Relu" + bytes([0x42, 2, 0x10, 17]))
