"""A model's answers through the wheel, beside those of the program that FALX names."""

import _thread
import json
import pathlib
import tempfile
import threading
import time
import unittest

import falx
import study


def setUpModule():
    global folder, images
    kept = tempfile.TemporaryDirectory()
    unittest.addModuleCleanup(kept.cleanup)
    folder = pathlib.Path(kept.name)
    study.falx("phantom", "--patients", 2, "--matrix", 64, "--seed", 5, "--out", folder / "phantom")
    images = folder / "phantom" / "stage_2_train"


def answer_of_the_program(*words):
    out = folder / "answer.json"
    study.falx("predict", images, "--format", "json", "--out", out, *words)
    return json.loads(out.read_text())


class Answers(unittest.TestCase):
    def test_they_are_the_program_s_for_any_threads(self):
        expected = answer_of_the_program()
        self.assertEqual(len(expected["studies"]), 2)
        for threads in (1, 2):
            self.assertEqual(falx.Detector(threads=threads).study(images), expected)

    def test_options_are_the_program_s_too(self):
        series = answer_of_the_program()["studies"][1]["series"][0]["series_uid"]
        expected = answer_of_the_program("--series", series, "--prevalence", "0.3", "--flip")
        detector = falx.Detector(series=[series], prevalence=0.3, flip=True, memory="40MiB")
        self.assertEqual(detector.study([str(images)]), expected)
        self.assertEqual(len(expected["studies"]), 1)

    def test_threads_share_a_detector(self):
        detector = falx.Detector()
        expected = detector.study(images)
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(detector.study(images))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [expected] * 2)

    def test_ctrl_c_ends_a_long_answer(self):
        detector = falx.Detector()
        start = time.monotonic()
        many = [images] * 50
        stopper = threading.Timer(0.3, _thread.interrupt_main)
        stopper.start()
        with self.assertRaises(KeyboardInterrupt):
            detector.study(many)
        self.assertLess(time.monotonic() - start, 60)
        self.assertEqual(len(detector.study(images)["studies"]), 2)


class Refusals(unittest.TestCase):
    def test_each_is_of_its_kind_and_names_what_is_wrong(self):
        with self.assertRaisesRegex(falx.FileError, "no bundle here"):
            falx.Detector(folder)
        with self.assertRaisesRegex(falx.OptionError, "between 0 and 1"):
            falx.Detector(prevalence=0)
        with self.assertRaisesRegex(falx.OptionError, "best"):
            falx.Detector(series="worst")
        detector = falx.Detector()
        with self.assertRaisesRegex(falx.FileError, "missing"):
            detector.study(folder / "missing")
        with self.assertRaisesRegex(falx.OptionError, "no series 1.2.3"):
            falx.Detector(series=["1.2.3"]).study(images)
        with self.assertRaisesRegex(falx.OptionError, "at least one path"):
            detector.study([])
        with self.assertRaises(TypeError):
            detector.study(3)

    def test_a_file_that_cannot_be_read_is_named_in_the_answer(self):
        one = folder / "one"
        one.mkdir()
        (one / "broken.dcm").write_bytes(b"no DICOM")
        source = next(images.iterdir())
        (one / source.name).write_bytes(source.read_bytes())
        answer = falx.Detector().study(one)
        self.assertEqual(len(answer["studies"]), 1)
        self.assertEqual(answer["unreadable"][0]["reasons"], ["not_dicom"])


if __name__ == "__main__":
    unittest.main()
