"""The other side of `falx bench io|index --peer python`: the same files by pydicom, numpy and OpenCV.

Needs pydicom, numpy and opencv-python-headless. Reads commands as JSON lines on standard input, answers each with a
JSON line. Every way makes three windows of size x size from each file:

seed    as notebooks of 2019 did: dcmread, then for each window pixel_array, rescale, cv2.resize (linear), clip
lookup  the header by pydicom, the cells by numpy, windows by cached look-up tables, then cv2.resize (area)
mean    the header by pydicom, the cells by numpy, cv2.resize (area) in HU, then windows: what falx computes
headers the header alone by pydicom, and the attributes that an index has
"""

import json
import multiprocessing
import resource
import sys
import time
import warnings

import cv2
import numpy
import pydicom

cv2.setNumThreads(0)
# RSNA's ids are no UIDs; saying so for every file would only cost the peer time.
warnings.simplefilter("ignore")
TAGS = [
    "Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation", "RescaleSlope", "RescaleIntercept",
    "PixelSpacing", "PatientID", "SOPInstanceUID", "SeriesInstanceUID", "ImagePositionPatient", "ImageOrientationPatient",
]
TABLES = {}
WINDOWS = []
SIZE = 256


def seed(path):
    dataset = pydicom.dcmread(path)
    channels = []
    for center, width in WINDOWS:
        image = dataset.pixel_array * dataset.RescaleSlope + dataset.RescaleIntercept
        image = cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
        low, high = center - width / 2, center + width / 2
        channels.append((numpy.clip(image, low, high) - low) / (high - low))
    return numpy.array(channels).transpose(1, 2, 0)


def stored(path):
    with open(path, "rb") as file:
        header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=TAGS)
        file.seek(-2 * header.Rows * header.Columns, 2)
        cells = numpy.fromfile(file, numpy.int16 if header.PixelRepresentation else numpy.uint16)
    return header, cells.reshape(header.Rows, header.Columns)


def lookup(path):
    header, cells = stored(path)
    key = (float(header.RescaleSlope), float(header.RescaleIntercept), int(header.PixelRepresentation))
    tables = TABLES.get(key)
    if tables is None:
        values = numpy.arange(65536, dtype=numpy.uint16)
        values = values.view(numpy.int16) if key[2] else values
        hu = values.astype(numpy.float32) * key[0] + key[1]
        hu[hu <= -2000] = -1024
        tables = TABLES[key] = [numpy.clip((hu - c) / w + 0.5, 0, 1).astype(numpy.float32) for c, w in WINDOWS]
    index = cells.view(numpy.uint16)
    out = numpy.empty((len(WINDOWS), SIZE, SIZE), numpy.float32)
    for channel, table in zip(out, tables):
        cv2.resize(table[index], (SIZE, SIZE), dst=channel, interpolation=cv2.INTER_AREA)
    return out


def mean(path):
    header, cells = stored(path)
    hu = cells.astype(numpy.float32)
    hu *= float(header.RescaleSlope)
    hu += float(header.RescaleIntercept)
    hu[hu <= -2000] = -1024
    hu = cv2.resize(hu, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    out = numpy.empty((len(WINDOWS), SIZE, SIZE), numpy.float32)
    for channel, (center, width) in zip(out, WINDOWS):
        numpy.subtract(hu, center, out=channel)
        channel /= width
        channel += 0.5
        numpy.clip(channel, 0, 1, out=channel)
    return out


def headers(path):
    """What an index of headers needs: pydicom's own way."""
    dataset = pydicom.dcmread(path, stop_before_pixels=True)
    return [dataset.get(tag) for tag in TAGS]


WAYS = {"seed": seed, "lookup": lookup, "mean": mean, "headers": headers}


def cpu(way, files):
    """Milliseconds of CPU time for each file, in this process alone."""
    make, times = WAYS[way], []
    for path in files:
        start = time.process_time_ns()
        make(path)
        times.append((time.process_time_ns() - start) / 1e6)
    return times


def work(arguments):
    way, files = arguments
    for path in files:
        WAYS[way](path)


def wall(way, files, processes):
    """Seconds for all files, one process a core; the processes are there before the clock starts."""
    shares = [(way, files[number::processes]) for number in range(processes)]
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        pool.map(work, [(way, files[:1])] * processes, chunksize=1)
        start = time.perf_counter()
        pool.map(work, shares, chunksize=1)
        return time.perf_counter() - start


def difference(way, path, tensor):
    meant = numpy.fromfile(tensor, numpy.float32).reshape(len(WINDOWS), SIZE, SIZE)
    return float(numpy.abs(WAYS[way](path) - meant).max())


def answer(request):
    global SIZE, WINDOWS
    if "setup" in request:
        SIZE, WINDOWS = request["setup"]["size"], request["setup"]["windows"]
        versions = f"Python {sys.version.split()[0]}, pydicom {pydicom.__version__}, numpy {numpy.__version__}, OpenCV {cv2.__version__}"
        return {"versions": versions}
    if "cpu" in request:
        return {"ms": cpu(request["cpu"], request["files"])}
    if "wall" in request:
        return {"s": wall(request["wall"], request["files"], request["processes"])}
    if "difference" in request:
        return {"largest": difference(request["difference"], request["file"], request["tensor"])}
    return {"peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
