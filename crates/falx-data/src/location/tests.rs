use std::path::{Path, PathBuf};

use super::{ArchiveKind, Location};

#[test]
fn every_place_survives_its_text() {
    let places = [
        Location::File("/a/b.dcm".into()),
        Location::File("/a/odd!/b.dcm".into()),
        Location::File("/a/note.txt#3".into()),
        Location::Entry {
            archive: "/a/b.ZIP".into(),
            entry: "c/d!/e.dcm".into(),
        },
        Location::Entry {
            archive: "/a/b.tar.gz".into(),
            entry: "x".into(),
        },
        Location::VolumeSlice {
            volume: "/a/049.nii.gz".into(),
            number: 12,
        },
    ];
    for place in places {
        assert_eq!(Location::parse(&place.to_path()), place);
    }
}

#[test]
fn archives_are_known_by_their_names() {
    let kind = |name: &str| ArchiveKind::of(&PathBuf::from(name));
    assert_eq!(kind("a.tgz"), Some(ArchiveKind::TarGz));
    assert_eq!(kind("a.b.Tar"), Some(ArchiveKind::Tar));
    assert_eq!(kind("zip"), None);
    assert!(super::is_picture(Path::new("x.JPEG")) && !super::is_picture(Path::new("png")));
}
