"""Other people's software reads the DICOM objects that falx-evidence writes.

usage: check_evidence.py EXAMPLE WORK RSNA

EXAMPLE is the built example `phantom_report`, WORK a new folder, RSNA a folder of the RSNA's DICOM files. The objects of made-up
findings of a phantom must satisfy dciodvfy and dsrdump; highdicom must find in them what was given; Orthanc must store them
over the network, find them by query and show their pictures. Of an RSNA study, whose identifiers are no UIDs, dciodvfy may
complain of these alone.
"""

import contextlib
import io
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import warnings

import highdicom
import numpy
import PIL.Image
import pydicom

CODES = {
    "epidural": ("82999001", "SCT"),
    "intraparenchymal": ("274100004", "SCT"),
    "intraventricular": ("23276006", "SCT"),
    "subarachnoid": ("21454007", "SCT"),
    "subdural": ("35486000", "SCT"),
    "any": ("1386000", "SCT"),
}
PRESENCE = {"Present": "52101004", "Absent": "272519000", "Undetermined": "373068000"}
RESEARCH_USE = "Research use; not a medical device."
# What dciodvfy says of identifiers that are no UIDs, and of nothing else.
OF_IDENTIFIERS = re.compile(
    r"(Illegal root for UID|Value invalid for this VR) - .*"
    r"(Referenced SOP Instance UID|Study Instance UID|Series Instance UID)|"
    r"Dicom dataset contains invalid data values for Value Representations"
)


def make(example, out, *sources):
    subprocess.run([example, out, *sources], check=True, stdout=subprocess.DEVNULL)
    return json.loads((out / "expected.json").read_text(encoding="utf-8"))


def errors(path):
    said = subprocess.run(["dciodvfy", path], capture_output=True, text=True, errors="replace")
    return [line for line in said.stderr.splitlines() if line.startswith("Error")]


def check_validity(expected):
    for item in expected["objects"]:
        found = errors(item["path"])
        assert not found, f"dciodvfy on {item['path']}: {found}"
    report = of_kind(expected, "structured report")[0]
    dumped = subprocess.run(["dsrdump", report], capture_output=True, text=True, check=True).stdout
    assert dumped.startswith("Comprehensive 3D SR Document"), dumped[:200]
    for wanted in [RESEARCH_USE[:20], *(code for code, _ in CODES.values())]:
        assert wanted in dumped, f"dsrdump does not show {wanted}"


def check_sparse(expected):
    for item in expected["objects"]:
        found = [line for line in errors(item["path"]) if not OF_IDENTIFIERS.search(line)]
        assert not found, f"dciodvfy on {item['path']}: {found}"


def of_kind(expected, kind):
    return [item["path"] for item in expected["objects"] if item["kind"] == kind]


def check_report(expected):
    report = highdicom.sr.srread(of_kind(expected, "structured report")[0])
    assert isinstance(report, highdicom.sr.Comprehensive3DSR)
    content = report.content
    assert isinstance(content, highdicom.sr.MeasurementReport)
    groups = content.get_image_measurement_groups()
    assert len(groups) == len(expected["findings"]) == 6
    for group, given in zip(groups, expected["findings"]):
        label = given["label"]
        finding = group.finding_type
        assert (finding.value, finding.scheme_designator) == CODES[label], label
        [measured] = group.get_measurements()
        assert (measured.name.value, measured.unit.value) == ("111012", "%")
        number = measured[0].MeasuredValueSequence[0]
        assert number.FloatingPointValue == 100 * given["probability"], label
        assert abs(float(number.NumericValue) - 100 * given["probability"]) < 1e-10, label
        seen = [item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in measured.referenced_images]
        assert seen == given["slices"], label
        uncertain = {
            item.name.value: item.MeasuredValueSequence[0].FloatingPointValue
            for item in measured[0].ContentSequence
            if item.ValueType == "NUM"
        }
        low, high = given["interval"]
        assert abs(uncertain["371886008"] / 100 - (high - given["probability"])) < 1e-12, label
        assert abs(uncertain["371885007"] / 100 - (given["probability"] - low)) < 1e-12, label
        [presence] = group.get_qualitative_evaluations()
        assert presence.value.value == PRESENCE[given["presence"]], label
        texts = [(item.name.value, item.value) for item in group[0].ContentSequence if item.ValueType == "TEXT"]
        algorithm = expected["algorithm"]
        for wanted in [
            ("111001", algorithm["name"]),
            ("111003", algorithm["version"]),
            ("111002", f"threshold={given['threshold']}"),
            ("111002", f"prevalence={expected['prevalence']}"),
        ]:
            assert wanted in texts, (label, wanted, texts)
    library = [item.referenced_sop_instance_uid for item in images(content)]
    assert library == expected["sources"]
    comments = [item.value for item in content[0].ContentSequence if item.ValueType == "TEXT"]
    assert RESEARCH_USE in comments
    evidence = report.CurrentRequestedProcedureEvidenceSequence
    named = [
        instance.ReferencedSOPInstanceUID
        for study in evidence
        for series in study.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    ]
    assert sorted(named) == sorted(expected["sources"])


def images(content):
    [library] = [i for i in content[0].ContentSequence if i.name.value == "111028"]
    [group] = library.ContentSequence
    return [item for item in group.ContentSequence if item.ValueType == "IMAGE"]


def check_map(expected, headers):
    [path] = of_kind(expected, "parametric map")
    image = highdicom.imread(path)
    values = image.get_frames(apply_real_world_transform=True, dtype=numpy.float64)
    assert len(values) == len(expected["sources"])
    sums = values.sum(axis=(1, 2))
    assert numpy.allclose(sums, expected["heat_map"], atol=0.5 / 65535 * values[0].size), sums
    assert values.max() <= 1 and values.max() > 0.5
    for frame, uid in zip(image.PerFrameFunctionalGroupsSequence, expected["sources"]):
        source = frame.DerivationImageSequence[0].SourceImageSequence[0]
        assert source.ReferencedSOPInstanceUID == uid
        header = headers[uid]
        assert frame.PlanePositionSequence[0].ImagePositionPatient == header.ImagePositionPatient
        assert frame.PlaneOrientationSequence[0].ImageOrientationPatient == header.ImageOrientationPatient
        assert frame.PixelMeasuresSequence[0].PixelSpacing == header.PixelSpacing
    assert image.FrameOfReferenceUID == next(iter(headers.values())).FrameOfReferenceUID
    mapping = image.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    quantity = mapping.QuantityDefinitionSequence[0].ConceptCodeSequence[0]
    assert quantity.CodingSchemeDesignator == "DCM" and quantity.CodeValue in {"130402", "130403", "130404"}


def check_captures(expected):
    captures = of_kind(expected, "secondary capture")
    assert len(captures) == 4
    for path in captures:
        capture = pydicom.dcmread(path)
        assert capture.BurnedInAnnotation == "NO" and RESEARCH_USE in capture.DerivationDescription
        sources = [item.ReferencedSOPInstanceUID for item in capture.SourceImageSequence]
        assert sources and set(sources) <= set(expected["sources"])
        is_lit(capture.pixel_array, path)


def check_keys(expected):
    [path] = of_kind(expected, "key object selection")
    keys = highdicom.ko.KeyObjectSelectionDocument.from_dataset(pydicom.dcmread(path))
    named = [reference[2] for reference in map(keys.resolve_reference, references(keys))]
    slices = {uid for finding in expected["findings"] for uid in finding["slices"]}
    captures = {item["sop_instance_uid"] for item in expected["objects"] if item["kind"] == "secondary capture"}
    assert set(named) == slices | captures


def references(keys):
    return [item.referenced_sop_instance_uid for item in keys.content.get_references()]


def is_lit(pixels, what):
    pixels = numpy.asarray(pixels)
    assert pixels.max() > 200 and pixels.std() > 10, f"{what} is black or blank"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def orthanc(folder):
    """Orthanc on free ports of the loopback, in a folder of its own, stopped at the end."""
    folder.mkdir()
    web, dicom = free_port(), free_port()
    config = {
        "Name": "falx check",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "index"),
        "HttpPort": web,
        "DicomPort": dicom,
        "DicomAet": "ORTHANC",
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomAlwaysAllowFind": True,
        "Plugins": [],
    }
    (folder / "orthanc.json").write_text(json.dumps(config), encoding="utf-8")
    binary = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen([binary, folder / "orthanc.json"], stdout=log, stderr=log)
        try:
            yield Archive(server, web, dicom, folder)
        finally:
            server.terminate()
            server.wait(timeout=30)


class Archive:
    def __init__(self, server, web, dicom, folder):
        self.root = f"http://127.0.0.1:{web}"
        self.dicom = str(dicom)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.json("/system")
                return
            except (urllib.error.URLError, ConnectionError):
                late = time.monotonic() > deadline or server.poll() is not None
                assert not late, (folder / "log").read_text(errors="replace")[-2000:]
                time.sleep(0.1)

    def bytes(self, path, body=None):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        data = None if body is None else json.dumps(body).encode()
        with opener.open(self.root + path, data=data, timeout=30) as answer:
            return answer.read()

    def json(self, path, body=None):
        return json.loads(self.bytes(path, body))

    def store(self, files):
        command = ["storescu", "-aec", "ORTHANC", "-R", "127.0.0.1", self.dicom, *map(str, files)]
        sent = subprocess.run(command, capture_output=True, text=True)
        assert sent.returncode == 0 and "E:" not in sent.stderr, sent.stderr

    def query(self, folder, **keys):
        folder.mkdir()
        words = [word for key, value in keys.items() for word in ("-k", f"{key}={value}")]
        command = ["findscu", "-S", "-aec", "ORTHANC", "-X", "-od", folder, *words, "127.0.0.1", self.dicom]
        subprocess.run(command, check=True, capture_output=True)
        return [pydicom.dcmread(path, force=True) for path in sorted(folder.glob("rsp*.dcm"))]


def check_archive(expected, sources, work):
    objects = [item["path"] for item in expected["objects"]]
    study = pydicom.dcmread(objects[0]).StudyInstanceUID
    with orthanc(work / "orthanc") as archive:
        archive.store([*sources, *objects])
        assert len(archive.json("/studies")) == 1, "the objects do not stand in the study of their slices"
        series = archive.query(
            work / "query",
            QueryRetrieveLevel="SERIES",
            StudyInstanceUID=study,
            SeriesInstanceUID="",
            Modality="",
            NumberOfSeriesRelatedInstances="",
        )
        found = sorted((one.Modality, int(one.NumberOfSeriesRelatedInstances)) for one in series)
        assert found == sorted([("CT", len(sources)), ("SR", 1), ("OT", 4), ("OT", 1), ("KO", 1)]), found
        for path in [*of_kind(expected, "secondary capture"), *of_kind(expected, "parametric map")]:
            uid = pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID
            query = {"Level": "Instance", "Query": {"SOPInstanceUID": uid}}
            [instance] = archive.json("/tools/find", query)
            stored = pydicom.dcmread(io.BytesIO(archive.bytes(f"/instances/{instance}/file")))
            assert list(stored) == list(pydicom.dcmread(path)), f"Orthanc changed {path}"
            if path in of_kind(expected, "secondary capture"):
                shown = archive.bytes(f"/instances/{instance}/preview")
                is_lit(PIL.Image.open(io.BytesIO(shown)), f"Orthanc's preview of {path}")


def main():
    example, work, rsna = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    warnings.simplefilter("ignore")
    work.mkdir(parents=True, exist_ok=True)
    expected = make(example, work / "phantom")
    again = make(example, work / "again")
    for one, other in zip(expected["objects"], again["objects"]):
        assert pathlib.Path(one["path"]).read_bytes() == pathlib.Path(other["path"]).read_bytes(), one["path"]
    sources = sorted((work / "phantom" / "phantom").rglob("*.dcm"))
    headers = {h.SOPInstanceUID: h for h in (pydicom.dcmread(s, stop_before_pixels=True) for s in sources)}
    check_validity(expected)
    check_report(expected)
    check_map(expected, headers)
    check_captures(expected)
    check_keys(expected)
    print(f"dciodvfy, dsrdump and highdicom: {len(expected['objects'])} objects of a phantom are right")
    check_archive(expected, sources, work)
    print("Orthanc stores them, finds them and shows them")
    check_sparse(make(example, work / "rsna", rsna))
    print("of an RSNA study dciodvfy complains of its identifiers alone")


if __name__ == "__main__":
    main()
