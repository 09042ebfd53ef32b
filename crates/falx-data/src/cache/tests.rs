use std::path::{Path, PathBuf};
use std::sync::Arc;

use falx_core::{Interrupt, Silent};
use proptest::prelude::*;

use super::packed::{Head, Values, pack, unpack};
use super::{Cache, CacheError, CacheOptions, CacheSummary, Kept, PictureForm, SHARD, build};
use crate::augment::AugmentConfig;
use crate::index::{Index, IndexOptions};
use crate::input::{Crop, InputSpec};
use crate::loader::{Batch, Loader, LoaderError, LoaderOptions, Policy};
use crate::samples::Samples;
use crate::synthetic::Ct;

fn make(options: &CacheOptions) -> CacheSummary {
    build(options, &Silent, &Interrupt::default()).unwrap()
}

struct Place {
    folder: tempfile::TempDir,
    index: Index,
}

const SLICES: u32 = 150;

impl Place {
    /// An index of more slices than a shard has.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..SLICES {
            let mut ct = Ct::new("p", 1, number);
            ct.z = f64::from(number) * 2.0;
            ct.write(folder.path().join(format!("data/{number:03}.dcm")));
        }
        let options = IndexOptions {
            sources: vec![folder.path().join("data")],
            out: folder.path().join("index.parquet"),
            ..IndexOptions::default()
        };
        crate::index::build(&options, &Silent, &Interrupt::default()).unwrap();
        let index = Index::read(&options.out).unwrap();
        Self { folder, index }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn options(&self, picture: Option<PictureForm>) -> CacheOptions {
        CacheOptions {
            index: self.path("index.parquet"),
            out: self.path("cache"),
            picture,
            check: false,
        }
    }

    fn open(&self) -> Arc<Cache> {
        let cache = Cache::open(&self.path("cache"), &self.index.data_hash(), &input(1));
        Arc::new(cache.unwrap())
    }

    fn loader(&self, options: LoaderOptions) -> Loader {
        let samples = Arc::new(Samples::of_index(&self.index).unwrap());
        let order: Vec<u32> = (0..SLICES).rev().collect();
        Loader::new(samples, order, options).unwrap()
    }

    fn load(&self, options: LoaderOptions) -> Vec<Batch> {
        self.loader(options).map(Result::unwrap).collect()
    }
}

fn input(planes: usize) -> InputSpec {
    InputSpec {
        size: 12,
        planes_mm: [0.0, 2.0, -2.0].into_iter().take(planes).collect(),
        ..InputSpec::default()
    }
}

fn with(planes: usize, cache: Option<Arc<Cache>>) -> LoaderOptions {
    LoaderOptions {
        batch: 16,
        input: input(planes),
        augment: Some(AugmentConfig::default()),
        cache,
        ..LoaderOptions::default()
    }
}

fn bytes(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (
                path.file_name().unwrap().into(),
                std::fs::read(&path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

#[test]
fn a_cache_gives_the_same_batches_as_the_files() {
    let place = Place::new();
    for picture in [None, Some(PictureForm::of(&input(1)))] {
        _ = std::fs::remove_dir_all(place.path("cache"));
        let summary = make(&place.options(picture));
        assert_eq!((summary.slices, summary.shards, summary.kept), (150, 2, 0));
        for planes in [1, 3] {
            let expected = place.load(with(planes, None));
            assert_eq!(place.load(with(planes, Some(place.open()))), expected);
        }
        // The files are not needed any more.
        let moved = place.path("elsewhere");
        let expected = place.load(with(3, None));
        std::fs::rename(place.path("data"), &moved).unwrap();
        assert_eq!(place.load(with(3, Some(place.open()))), expected);
        std::fs::rename(&moved, place.path("data")).unwrap();
    }
}

#[test]
fn pictures_in_memory_change_nothing_and_keep_to_their_room() {
    let place = Place::new();
    let expected = place.load(with(3, None));
    for mib in [0, 1, 64] {
        let kept = Arc::new(Kept::new(mib));
        for _ in 0..3 {
            let options = LoaderOptions {
                kept: Some(Arc::clone(&kept)),
                ..with(3, None)
            };
            assert_eq!(place.load(options), expected);
            assert!(kept.bytes() <= mib << 20);
        }
        assert_eq!(kept.bytes() > 0, mib > 0);
    }
    // Room for 1 of 3 in each part: what is asked for again stays.
    let kept = Kept::new(1);
    let picture = vec![0.3_f32; (1 << 20) / 16 / 4 / 2];
    for row in [0, 16, 32, 48] {
        kept.keep(row, &picture);
        assert!(kept.bytes() <= 1 << 20);
    }
    let mut out = vec![0.0; picture.len()];
    assert!(kept.get(48, &mut out) && out == picture);
    assert!(!kept.get(0, &mut out));
}

#[test]
fn an_interrupted_cache_goes_on_and_ends_the_same() {
    let place = Place::new();
    let options = place.options(None);
    make(&options);
    let whole = bytes(&options.out);
    std::fs::remove_file(options.out.join("shard-000001.hu")).unwrap();
    let summary = make(&options);
    assert_eq!((summary.shards, summary.kept), (2, 1));
    assert_eq!(bytes(&options.out), whole);
    let stop = Interrupt::default();
    stop.request();
    _ = std::fs::remove_dir_all(&options.out);
    let stopped = build(&options, &Silent, &stop);
    assert!(matches!(stopped, Err(CacheError::Interrupted)));
    make(&options);
    assert_eq!(bytes(&options.out), whole);
}

#[test]
fn a_flipped_bit_is_found_and_the_file_is_read_instead() {
    let place = Place::new();
    let options = place.options(None);
    make(&options);
    let shard = options.out.join("shard-000000.hu");
    let whole = std::fs::read(&shard).unwrap();
    let expected = place.load(with(1, None));
    for at in [9, 700, 5000, whole.len() - 1] {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        std::fs::write(&shard, &flipped).unwrap();
        let mut loader = place.loader(with(1, Some(place.open())));
        let batches: Vec<Batch> = loader.by_ref().map(Result::unwrap).collect();
        assert_eq!(
            batches.iter().map(|b| &b.images).collect::<Vec<_>>(),
            expected.iter().map(|b| &b.images).collect::<Vec<_>>()
        );
        assert_eq!(loader.damaged(), 1, "at {at}");
    }
    // Without the file it is named, or ends the epoch.
    let damaged = SHARD - 1;
    let path = place.index.rows[damaged].path.clone();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let mut stopping = place.loader(with(1, Some(place.open())));
    let error = stopping.find_map(Result::err).unwrap();
    assert!(matches!(error, LoaderError::Unreadable(_)));
    assert!(error.to_string().contains("--check"), "{error}");
    let skip = LoaderOptions {
        on_unreadable: Policy::Skip,
        ..with(1, Some(place.open()))
    };
    let mut skipping = place.loader(skip);
    assert!(skipping.by_ref().all(|batch| batch.is_ok()));
    assert_eq!(skipping.skipped().by_reason["damaged_cache"], 1);
    std::fs::write(&path, bytes).unwrap();

    let checked = make(&CacheOptions {
        check: true,
        ..options.clone()
    });
    assert_eq!((checked.damaged, checked.kept), (1, 1));
    assert_eq!(std::fs::read(&shard).unwrap(), whole);
    std::fs::write(&shard, &whole[..whole.len() / 2]).unwrap();
    let cut = place.loader(with(1, Some(place.open())));
    assert_eq!(
        cut.map(Result::unwrap).map(|b| b.ids.len()).sum::<usize>(),
        150
    );
}

#[test]
fn what_cannot_be_read_is_left_out_and_said_again() {
    let place = Place::new();
    let gone = place.index.rows[7].path.clone();
    let bytes = std::fs::read(&gone).unwrap();
    std::fs::remove_file(&gone).unwrap();
    let options = place.options(None);
    let first = make(&options);
    assert_eq!(first.skipped.by_reason["io"], 1);
    assert_eq!(first.skipped.examples, std::slice::from_ref(&gone));
    let again = make(&options);
    assert_eq!((again.kept, again.skipped.count), (2, 1));
    std::fs::write(&gone, bytes).unwrap();
    let check = CacheOptions {
        check: true,
        ..options
    };
    assert!(make(&check).is_complete());
}

#[test]
fn another_index_or_form_is_refused() {
    let place = Place::new();
    let options = place.options(Some(PictureForm::of(&input(1))));
    make(&options);
    let folder = &options.out;
    let lock = place.index.data_hash();
    let wide = InputSpec {
        size: 16,
        ..input(1)
    };
    let refused = |result: Result<Cache, CacheError>| match result {
        Err(error) => error.to_string(),
        Ok(_) => String::new(),
    };
    assert!(refused(Cache::open(folder, "another", &input(1))).contains("other data"));
    assert!(refused(Cache::open(folder, &lock, &wide)).contains("16 × 16"));
    assert!(refused(Cache::open(&place.path("nowhere"), &lock, &wide)).contains("no cache"));
    let native = build(&place.options(None), &Silent, &Interrupt::default());
    assert!(matches!(native, Err(CacheError::Other { .. })));
    std::fs::write(folder.join("cache.toml"), "format = 2\n").unwrap();
    assert!(matches!(
        Cache::open(folder, &lock, &input(1)),
        Err(CacheError::Manifest { .. })
    ));
    let head = InputSpec {
        crop: Crop::Head,
        ..input(3)
    };
    _ = std::fs::remove_dir_all(folder);
    make(&place.options(Some(PictureForm::of(&head))));
    assert!(refused(Cache::open(folder, &lock, &head)).contains("own head"));

    // Whole slices come without the windows of their files.
    let own = InputSpec {
        clip_hu: Some([0.0, 80.0]),
        own_window: true,
        ..input(1)
    };
    for (picture, words) in [
        (None, "without their files' own windows"),
        (
            Some(PictureForm::of(&input(1))),
            "which are its file's own window",
        ),
    ] {
        _ = std::fs::remove_dir_all(folder);
        make(&place.options(picture));
        assert!(refused(Cache::open(folder, &lock, &own)).contains(words));
    }
}

#[test]
fn a_cache_of_an_earlier_form_is_refused_with_the_way_out() {
    let place = Place::new();
    let options = place.options(None);
    make(&options);
    let path = options.out.join("cache.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("format = 2", "format = 1\nlevel = 4")).unwrap();
    for error in [
        Cache::open(&options.out, &place.index.data_hash(), &input(1)).unwrap_err(),
        build(&options, &Silent, &Interrupt::default()).unwrap_err(),
    ] {
        let words = error.to_string();
        assert!(
            words.contains("its form is 1") && words.contains("make the cache again"),
            "{words}"
        );
    }
}

fn image(rows: usize, cols: usize, pixel_spacing: Option<[f64; 2]>, hu: Vec<f32>) -> Values {
    let head = Head {
        rows,
        cols,
        pixel_spacing,
    };
    Values { head, hu }
}

#[test]
fn values_are_held_in_the_coarsest_step_that_loses_nothing() {
    let kind = |hu: [f32; 4]| pack(&image(2, 2, None, hu.to_vec())).unwrap()[0];
    assert_eq!(kind([-1024.0, 40.0, 3071.0, 32767.0]), 1);
    assert_eq!(kind([-1024.0, 40.25, 3071.75, 0.0]), 2);
    assert_eq!(kind([-1024.0, 40.0625, 3071.9375, 0.0]), 3);
    for odd in [40.03125, -0.0, f32::NAN, f32::INFINITY, 3072.0625, 40000.0] {
        assert_eq!(kind([-1024.0, 40.0, 0.0, odd]), 4, "{odd}");
    }
}

#[test]
fn the_strangest_values_and_sides_come_back_to_the_bit() {
    let strange = [
        f32::from_bits(0x7fc0_1234),
        f32::from_bits(0xff80_0001),
        f32::NEG_INFINITY,
        f32::INFINITY,
        f32::MAX,
        f32::MIN,
        f32::MIN_POSITIVE,
        f32::from_bits(1),
        -0.0,
        0.0,
        i32::MIN as f32,
        i32::MAX as f32,
        -32768.0,
        32767.0,
        32768.0,
        -8192.0,
        8191.75,
        8192.0,
    ];
    // Every one alone, beside 0, and all together, in tiles that are full, cut, and one number wide.
    let alone = strange.iter().map(|&value| vec![value; 3]);
    let beside = strange.iter().map(|&value| vec![0.0, value, 0.0]);
    let many = (0..128_usize).map(|at| strange[at * 7 % strange.len()]);
    for hu in alone.chain(beside).chain([many.collect()]) {
        for (rows, cols) in [(hu.len(), 1), (1, hu.len()), (hu.len() / 8, 8)] {
            let hu = &hu[..rows * cols];
            let back = unpack(&pack(&image(rows, cols, None, hu.to_vec())).unwrap()).unwrap();
            let bits = |hu: &[f32]| hu.iter().map(|hu| hu.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&back.hu), bits(hu), "{rows} × {cols}");
        }
    }
}

#[test]
fn sides_that_no_ct_has_are_refused_before_there_is_room_for_them() {
    let most = u16::MAX.into();
    for (rows, cols) in [(0, 0), (0, most), (most, 0)] {
        let packed = pack(&image(rows, cols, None, Vec::new())).unwrap();
        let mut longer = packed.clone();
        assert_eq!(unpack(&packed).unwrap().head.cols, cols);
        longer[5..9].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(unpack(&longer).is_err());
        assert!(pack(&image(rows, most + 1, None, Vec::new())).is_err());
    }
    assert!(pack(&image(1, 1, Some([f64::INFINITY, 1.0]), vec![0.0])).is_err());
}

proptest! {
    #[test]
    fn packed_values_come_back_to_the_bit(
        cols in 1_usize..40, hu in prop_oneof![
            proptest::collection::vec((-1024..3072_i16).prop_map(f32::from), 1..900),
            proptest::collection::vec(any::<i16>().prop_map(f32::from), 1..900),
            proptest::collection::vec((-4096..12288_i16).prop_map(|q| f32::from(q) / 4.0), 1..900),
            proptest::collection::vec((-16384..49152_i32).prop_map(|q| q as f32 / 16.0), 1..900),
            proptest::collection::vec(proptest::num::f32::ANY, 1..900),
        ], spacing in proptest::option::of(0.1..2.0_f64),
    ) {
        let rows = hu.len() / cols;
        let hu = hu[..rows * cols].to_vec();
        let values = image(rows, cols, spacing.map(|s| [s, s * 1.5]), hu);
        let back = unpack(&pack(&values).unwrap()).unwrap();
        let bits = |values: &Values| values.hu.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&back), bits(&values));
        prop_assert_eq!(back.head, values.head);
    }

    #[test]
    fn any_bytes_are_unpacked_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        _ = unpack(&bytes);
    }

    #[test]
    fn a_damaged_pack_does_no_harm(at in 0_usize..200, bit in 0_u8..8, cut in 0_usize..200) {
        let hu = (0..64).map(|v| v as f32 * 3.0).collect();
        let mut bytes = pack(&image(8, 8, None, hu)).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        _ = unpack(&bytes);
    }
}
