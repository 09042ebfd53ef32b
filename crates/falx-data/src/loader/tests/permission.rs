//! Files that may no longer be read.

use std::os::unix::fs::PermissionsExt as _;

use super::{LoaderOptions, Policy, load, options, samples};

#[test]
fn a_file_whose_permission_is_lost_is_left_out_like_one_that_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let samples = samples(folder.path(), 4);
    let locked = &samples[1].path;
    std::fs::set_permissions(locked, std::fs::Permissions::from_mode(0o000)).unwrap();
    // Nothing is locked to a superuser, who must get the slice.
    let lost = usize::from(std::fs::File::open(locked).is_err());
    let skip = LoaderOptions {
        on_unreadable: Policy::Skip,
        ..options(2)
    };
    let [batch] = &load(&samples, &[0, 1, 2, 3], skip)[..] else {
        panic!("four slices are one batch");
    };
    assert_eq!((batch.ids.len(), batch.unreadable.len()), (4 - lost, lost));
    assert!(batch.unreadable.iter().all(|slice| slice.reason == "io"));
}
