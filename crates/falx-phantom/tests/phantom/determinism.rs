//! The bytes follow from the options alone.

use crate::common::{files, make, small};
use falx_phantom::{Layout, PhantomOptions, head};

#[test]
fn one_and_two_threads_write_the_same_bytes() {
    for layout in [Layout::Rsna, Layout::Folders] {
        let dir = tempfile::tempdir().unwrap();
        let [one, two] = [1, 2].map(|threads| {
            let options = PhantomOptions {
                out: dir.path().join(threads.to_string()),
                layout,
                defects: true,
                test_patients: u32::from(layout == Layout::Rsna),
                ..small(dir.path())
            };
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(|| make(&options));
            options.out
        });
        let names = files(&one);
        assert_eq!(names, files(&two));
        assert!(names.len() > 100);
        for name in names {
            let [a, b] = [&one, &two].map(|root| std::fs::read(root.join(&name)).unwrap());
            assert!(a == b, "{} differs between 1 and 2 threads", name.display());
        }
    }
}

#[test]
fn another_seed_is_another_population() {
    let slice = |seed, patient| head(seed, patient, 0.14).render(12, 64).hu;
    assert_eq!(slice(1, 0), slice(1, 0));
    assert_ne!(slice(1, 0), slice(2, 0));
    assert_ne!(slice(1, 0), slice(1, 1));
}

#[test]
fn the_same_options_make_the_same_folder_again() {
    let dir = tempfile::tempdir().unwrap();
    let options = PhantomOptions {
        patients: 1,
        ..small(dir.path())
    };
    let first = make(&options);
    let before = std::fs::read(&first.labels).unwrap();
    assert_eq!(make(&options), first);
    assert_eq!(std::fs::read(&first.labels).unwrap(), before);
}
