"""Makes the small codestreams beside it from a formula: pip install imagecodecs numpy pillow; python make_samples.py

The tests know the formula, so each codestream is checked against what went into it (imagecodecs 2026.3.6).
"""

import pathlib

import imagecodecs
import numpy
from PIL import Image

ROWS, COLS = 23, 17
HERE = pathlib.Path(__file__).parent


def image(most):
    """A slope with steps, a flat stretch for runs, and the values that a code of limited length escapes for."""
    values = numpy.fromfunction(lambda r, c: 5 * r + 3 * c + (7 * r + 13 * c) % 29, (ROWS, COLS), dtype=int)
    values[5:9, 2:] = 90
    values[12, 3] = most
    values[13, 4] = 0
    return values.astype(numpy.uint8 if most < 256 else numpy.uint16)


def save(name, codestream):
    (HERE / name).write_bytes(bytes(codestream))


save("jpeg_8.jpg", imagecodecs.jpeg8_encode(image(255), level=95))
save("jpeg_12.jpg", imagecodecs.jpeg8_encode(image(4095), level=95, bitspersample=12))
Image.fromarray(image(255)).save(HERE / "jpeg_8_restarts.jpg", quality=95, restart_marker_blocks=2)
for predictor in range(1, 8):
    save(
        f"jpeg_lossless_{predictor}.jpg",
        imagecodecs.jpeg8_encode(image(65535), lossless=True, predictor=predictor, bitspersample=16),
    )
save("jpeg_ls.jls", imagecodecs.jpegls_encode(image(65535), level=0))
save("jpeg_ls_near_3.jls", imagecodecs.jpegls_encode(image(255), level=3))
save("jpeg_2000.j2k", imagecodecs.jpeg2k_encode(image(4095), level=0, codecformat="j2k", bitspersample=12))
save("jpeg_2000.jp2", imagecodecs.jpeg2k_encode(image(255), level=0, codecformat="jp2"))
save("jpeg_2000_lossy.j2k", imagecodecs.jpeg2k_encode(image(255), level=45, codecformat="j2k", reversible=False))
save("htj2k.j2c", imagecodecs.htj2k_encode(image(65535), reversible=True))
