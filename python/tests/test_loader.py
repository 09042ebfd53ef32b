"""The wheel's loader: what must hold for everybody who trains with it. Needs NumPy and the falx program (study.py)."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

import falx
import numpy as np

from study import Study

# As examples/batch_digest.rs has them.
AUGMENT = {"preset": "full", "mixup": 0.5, "cutmix": 0.3}
OPTIONS = dict(fold=0, batch_size=5, size=48, augment=AUGMENT, seed=3, threads=2)


def setUpModule():
    global study
    study = Study()


def tearDownModule():
    study.close()


def loader(**changed):
    options = dict(index=study.index, split=study.split) | OPTIONS | changed
    return falx.Loader(options.pop("index"), **options)


def digest(batch):
    sha = hashlib.sha256()
    for numbers in (batch.images, batch.labels, batch.weights):
        sha.update(np.ascontiguousarray(numbers, dtype="<f4").tobytes())
    for name in batch.ids:
        sha.update(name.encode())
    return sha.hexdigest()


def digests(batches):
    return [digest(batch) for batch in batches]


def threads_of_falx():
    """Loader threads of this process, by the name that they have in the system."""
    tasks = "/proc/self/task"
    names = []
    for task in os.listdir(tasks):
        try:
            with open(f"{tasks}/{task}/comm", encoding="ascii") as name:
                names.append(name.read().strip())
        except (FileNotFoundError, ProcessLookupError):
            pass  # ended meanwhile
    return sum(name.startswith(("falx-loader", "falx-end")) for name in names)


class Batches(unittest.TestCase):
    def test_shapes_types_and_meaning(self):
        batches = list(loader())
        first = batches[0]
        self.assertEqual(first.images.shape, (5, 3, 48, 48))
        for batch in batches:
            self.assertEqual(batch.images.ctypes.data % 64, 0)
        self.assertEqual((first.images.dtype, first.labels.dtype, first.weights.dtype), (np.float32,) * 3)
        self.assertTrue(first.images.flags.c_contiguous and first.images.flags.writeable)
        self.assertTrue(((first.images >= 0) & (first.images <= 1)).all())
        self.assertEqual((first.labels.shape, len(first.ids), len(first)), ((5, 6), 5, 5))
        self.assertEqual(falx.LABELS[-1], "any")
        ids = [name for batch in batches for name in batch.ids]
        self.assertEqual(len(set(ids)), len(ids))
        self.assertEqual([batch.number for batch in batches], list(range(len(loader()))))
        self.assertEqual(loader().slices, len(ids))

    def test_arrays_are_shared_and_not_copied(self):
        images = next(iter(loader())).images
        # The array owns the buffer: whoever takes it by DLPack writes to the same memory.
        shared = np.from_dlpack(images)
        shared[0, 0, 0, 0] = 7
        self.assertEqual(images[0, 0, 0, 0], 7)

    def test_unknown_labels_are_nan_and_weigh_nothing(self):
        bare = study.folder / "bare.parquet"
        subprocess.run(
            [os.environ.get("FALX", "falx"), "index", study.images, "--out", bare, "-q"],
            check=True, stdout=subprocess.DEVNULL,
        )
        batch = next(iter(falx.Loader(bare, shuffle=False, size=32)))
        self.assertTrue(np.isnan(batch.labels).all())
        self.assertEqual(batch.weights.sum(), 0)
        with self.assertRaisesRegex(falx.OptionError, "shuffle=False"):
            falx.Loader(bare)

    @unittest.skipUnless("FALX_BATCH_DIGEST" in os.environ, "FALX_BATCH_DIGEST names no example batch_digest")
    def test_the_bytes_are_those_of_rust(self):
        for epoch in (0, 4):
            words = [os.environ["FALX_BATCH_DIGEST"], study.index, study.split, "0", "3", str(epoch)]
            rust = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
            for threads in (1, 2):
                self.assertEqual(digests(loader(threads=threads, epoch=epoch)), rust)

    def test_threads_memory_and_cache_change_nothing(self):
        expected = digests(loader())
        for changed in (dict(threads=1), dict(threads=7), dict(memory="8MiB"), dict(keep_memory="64MiB"),
                        dict(cache=study.cache)):
            self.assertEqual(digests(loader(**changed)), expected, changed)
        self.assertNotEqual(digests(loader(seed=4)), expected)

    def test_mixtures_share_their_labels_and_any_is_the_largest(self):
        labels = np.concatenate([batch.labels for batch in loader()])
        self.assertTrue(((labels > 0.01) & (labels < 0.99)).any())
        self.assertTrue((labels[:, 5] >= labels[:, :5].max(axis=1)).all())
        hard = np.concatenate([batch.labels for batch in loader(augment="default")])
        self.assertEqual(set(np.unique(hard)), {0, 1})

    def test_augmentation_is_asked_for_as_in_a_recipe(self):
        for one, other in (
            ("default", {}), ("full", {"preset": "full"}), (["flip", "shift"], {"preset": ("flip", "shift")}),
            ("none", None), ("flip", {"preset": "none", "flip": True}), ("rotate_deg", {"preset": "none", "rotate_deg": 15}),
        ):
            self.assertEqual(digests(loader(augment=one)), digests(loader(augment=other)), (one, other))

    def test_without_shuffling_the_index_order_comes_without_end_or_change(self):
        one, two = (list(loader(shuffle=False, augment=None, part="validation")) for _ in range(2))
        self.assertEqual(digests(one), digests(two))


class Parts(unittest.TestCase):
    def test_parts_are_apart_and_make_the_whole(self):
        parts = [
            {name for batch in loader(part=part, shuffle=False, augment=None) for name in batch.ids}
            for part in ("train", "validation", "test")
        ]
        whole = {name for batch in falx.Loader(study.index, shuffle=False, size=16) for name in batch.ids}
        self.assertEqual(set.union(*parts), whole)
        self.assertEqual(sum(map(len, parts)), len(whole))

    def test_ranks_put_together_are_one(self):
        whole = list(loader())
        ranks = [list(loader(rank=rank, world=2)) for rank in range(2)]
        self.assertEqual(len(ranks[0]), len(whole))
        for one, *parts in zip(whole, *ranks):
            np.testing.assert_array_equal(np.concatenate([part.images for part in parts]), one.images)
            np.testing.assert_array_equal(np.concatenate([part.labels for part in parts]), one.labels)
            self.assertEqual([name for part in parts for name in part.ids], one.ids)

    def test_drop_last_leaves_whole_batches(self):
        kept = loader(drop_last=True, batch_size=7)
        self.assertEqual({len(batch) for batch in kept}, {7})
        self.assertEqual(kept.slices, 7 * len(kept))


class Epochs(unittest.TestCase):
    def test_epochs_differ_follow_each_other_and_can_be_chosen(self):
        going = loader()
        first, second = digests(going), digests(going)
        self.assertNotEqual(first, second)
        self.assertEqual(going.epoch, 2)
        going.set_epoch(0)
        self.assertEqual(digests(going), first)
        self.assertEqual(digests(loader(epoch=1)), second)

    def test_a_state_goes_on_exactly_even_from_json(self):
        for stop in (0, 1, 4):
            whole, stopped = loader(), loader()
            expected = digests(whole) + digests(whole)
            batches = iter(stopped)
            given = [digest(next(batches)) for _ in range(stop)]
            state = json.loads(json.dumps(stopped.state_dict()))
            del batches
            resumed = loader(threads=1)
            resumed.load_state_dict(state)
            self.assertEqual(given + digests(resumed) + digests(resumed), expected)

    def test_a_pass_that_was_left_begins_again(self):
        going = loader()
        next(iter(going))
        self.assertEqual(digests(going), digests(loader()))

    def test_a_state_of_other_batches_is_refused(self):
        state = loader().state_dict()
        for changed, word in (
            (dict(seed=4), "seed"), (dict(batch_size=4), "batch_size"), (dict(augment=None), "augment"),
            (dict(fold=1), "part of the split"), (dict(size=32), "input"), (dict(positive_any_share=0.6), "sampling"),
        ):
            with self.assertRaisesRegex(falx.OptionError, word):
                loader(**changed).load_state_dict(state)
        with self.assertRaisesRegex(ValueError, "state_dict"):
            loader().load_state_dict({"epoch": 1})

    def test_the_prior_is_what_is_shown(self):
        even = loader(positive_any_share=0.7, augment=None)
        labels = np.concatenate([batch.labels for batch in even])
        np.testing.assert_allclose(labels.mean(axis=0), even.prior, atol=0.02)
        self.assertGreater(even.prior[5], even.prevalence[5])
        np.testing.assert_array_equal(loader().prior, loader().prevalence)


class Ends(unittest.TestCase):
    @unittest.skipUnless(sys.platform == "linux", "threads are counted by Linux's /proc")
    def test_a_pass_that_is_left_ends_its_threads(self):
        for leave in (lambda batches: batches.close(), lambda batches: None):
            batches = iter(loader())
            next(batches)
            self.assertGreater(threads_of_falx(), 0)
            leave(batches)
            del batches
            # Each ends after its slice: this goes on for ever where one does not.
            while threads_of_falx():
                os.sched_yield()

    def test_a_closed_pass_has_no_next(self):
        batches = iter(loader())
        batches.close()
        self.assertEqual(list(batches), [])

    def test_other_threads_run_while_it_waits(self):
        counted = []
        done = threading.Event()

        def count():
            while not done.is_set():
                counted.append(1)
                time.sleep(0)

        other = threading.Thread(target=count)
        other.start()
        for _ in loader():
            pass
        done.set()
        other.join()
        self.assertGreater(len(counted), 1)

    @unittest.skipIf(sys.platform == "win32", "a pipe that nobody writes to is POSIX's")
    def test_ctrl_c_is_heard_while_it_waits(self):
        # A slice that never comes: a pipe in its place.
        program = (
            "import falx, os, sys\n"
            "loader = falx.Loader(sys.argv[1], shuffle=False, size=16, threads=1)\n"
            "first = next(iter(loader))\n"
            "path = os.path.join(sys.argv[2], first.ids[0] + '.dcm')\n"
            "os.remove(path)\n"
            "os.mkfifo(path)\n"
            "batches = iter(loader)\n"
            "try:\n"
            "    print('waiting', flush=True)\n"
            "    next(batches)\n"
            "except KeyboardInterrupt:\n"
            "    print('heard', flush=True)\n"
        )
        own = Study()
        self.addCleanup(own.close)
        words = [sys.executable, "-c", program, str(own.index), str(own.images)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as child:
            self.assertEqual(child.stdout.readline(), "waiting\n")
            child.send_signal(signal.SIGINT)
            self.assertEqual(child.communicate()[0], "heard\n")


class Refusals(unittest.TestCase):
    def test_options_that_cannot_work_are_value_errors_with_a_remedy(self):
        for changed, words in (
            (dict(memory="1MiB"), "larger budget"),
            (dict(memory="much"), "2GiB"),
            (dict(batch_size=0), "at least 1"),
            (dict(size=0), "at least 1"),
            (dict(rank=2, world=2), "ranks count from 0"),
            (dict(world=3), "batches of 6 or more"),
            (dict(fold=9), "folds 0 to 2"),
            (dict(fold=None), "fold="),
            (dict(part="tests"), "validation"),
            (dict(split=None), "split="),
            (dict(windows=[(40, 0)]), "width"),
            (dict(crop="face"), "head"),
            (dict(unreadable="ignore"), "skip"),
            (dict(augment="fulll"), "did you mean `full`"),
            (dict(augment={"mixp": 0.1}), "did you mean `mixup`"),
            (dict(augment={"elastic": 0.5}), "0.065"),
            (dict(label_shares={"subdurall": 0.2}), "subdural"),
            (dict(positive_any_share=1.5), "share"),
            (dict(shuffle=False, balance_studies=True), "shuffle=False"),
        ):
            with self.subTest(changed), self.assertRaisesRegex(falx.OptionError, words) as caught:
                loader(**changed)
            self.assertIsInstance(caught.exception, (falx.FalxError, ValueError))

    def test_bad_paths_are_os_errors_that_name_the_file(self):
        text = study.folder / "text.parquet"
        text.write_text("no table")
        for changed, name in (
            (dict(index="nowhere.parquet"), "nowhere.parquet"),
            (dict(split="nowhere.parquet"), "nowhere.parquet"),
            (dict(index=text), "text.parquet"),
            (dict(index=study.split), "split.parquet"),
            (dict(cache=study.folder / "none"), "falx cache"),
            (dict(sample_weights="nowhere.csv"), "nowhere.csv"),
        ):
            with self.subTest(changed), self.assertRaisesRegex(OSError, name) as caught:
                loader(**changed)
            self.assertIsInstance(caught.exception, falx.FileError)

    def test_a_split_of_other_data_is_refused(self):
        other = Study()
        self.addCleanup(other.close)
        gone = next(other.images.glob("*.dcm"))
        gone.unlink()
        shorter = other.folder / "shorter.parquet"
        subprocess.run(
            [os.environ.get("FALX", "falx"), "index", other.images, "--out", shorter, "-q"],
            check=True, stdout=subprocess.DEVNULL,
        )
        with self.assertRaisesRegex(falx.OptionError, "split"):
            loader(index=shorter)

    def test_a_deleted_file_stops_or_is_skipped_and_counted(self):
        own = Study()
        self.addCleanup(own.close)
        gone = next(iter(own.images.glob("*.dcm")))
        gone.unlink()
        whole = dict(shuffle=False, size=16, batch_size=8)
        with self.assertRaisesRegex(falx.FileError, gone.name):
            list(falx.Loader(own.index, **whole))
        skipping = falx.Loader(own.index, unreadable="skip", **whole)
        batches = list(skipping)
        self.assertEqual(sum(map(len, batches)), skipping.slices - 1)
        self.assertEqual(skipping.skipped["count"], 1)
        self.assertEqual(skipping.skipped["examples"], [gone])
        [missing] = [slice for batch in batches for slice in batch.unreadable]
        self.assertEqual((missing["id"], missing["path"]), (gone.stem, gone))
        cached = falx.Loader(own.index, cache=own.cache, **whole)
        self.assertEqual(sum(map(len, cached)), cached.slices)


if __name__ == "__main__":
    unittest.main()
