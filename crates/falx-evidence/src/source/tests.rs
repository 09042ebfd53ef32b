use std::io::Write;
use std::path::Path;

use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::FileMetaTableBuilder;

use super::SourceSlice;
use crate::EvidenceError;
use crate::element::{DataSet, put, put_item, put_items, put_u16};

const STUDY: &str = "2.25.1";

fn ct() -> DataSet {
    let mut set = DataSet::new_empty();
    put(
        &mut set,
        tags::SOP_CLASS_UID,
        VR::UI,
        uids::CT_IMAGE_STORAGE,
    );
    put(&mut set, tags::SOP_INSTANCE_UID, VR::UI, "2.25.3");
    put(&mut set, tags::STUDY_INSTANCE_UID, VR::UI, STUDY);
    put(&mut set, tags::SERIES_INSTANCE_UID, VR::UI, "2.25.2");
    put(&mut set, tags::INSTANCE_NUMBER, VR::IS, "7");
    put_u16(&mut set, tags::ROWS, 3);
    put_u16(&mut set, tags::COLUMNS, 2);
    let pixels = PrimitiveValue::U16([0_u16; 6].into_iter().collect());
    set.put(DataElement::new(tags::PIXEL_DATA, VR::OW, pixels));
    set
}

/// A file of `set` whose meta information names `syntax`.
fn file(set: DataSet, syntax: &str) -> Vec<u8> {
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(syntax)
        .media_storage_sop_class_uid(uids::CT_IMAGE_STORAGE)
        .media_storage_sop_instance_uid("2.25.3");
    let mut bytes = Vec::new();
    set.with_meta(meta).unwrap().write_all(&mut bytes).unwrap();
    bytes
}

fn read(bytes: &[u8]) -> Result<SourceSlice, EvidenceError> {
    SourceSlice::from_bytes(Path::new("a.dcm"), bytes)
}

/// The same deflated, as the standard has it: all after the meta information.
fn deflated(set: DataSet) -> Vec<u8> {
    let plain = file(set, uids::EXPLICIT_VR_LITTLE_ENDIAN);
    let start = 144 + u32::from_le_bytes(plain[140..144].try_into().unwrap()) as usize;
    let syntax = b"1.2.840.10008.1.2.1\0";
    let at = plain
        .windows(syntax.len())
        .position(|part| part == syntax)
        .unwrap();
    let uid = format!("{}\0\0", uids::DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN);
    let uid = &uid.as_bytes()[..22];
    let mut bytes = [
        &plain[..at - 2],
        &[22, 0],
        uid,
        &plain[at + syntax.len()..start],
    ]
    .concat();
    let mut encoder = flate2::write::DeflateEncoder::new(&mut bytes, flate2::Compression::fast());
    encoder.write_all(&plain[start..]).unwrap();
    encoder.finish().unwrap();
    bytes
}

#[test]
fn headers_are_read_in_every_encoding() {
    let files = [
        file(ct(), uids::EXPLICIT_VR_LITTLE_ENDIAN),
        file(ct(), uids::IMPLICIT_VR_LITTLE_ENDIAN),
        file(ct(), "1.2.840.10008.1.2.2"),
        deflated(ct()),
    ];
    for (at, file) in files.iter().enumerate() {
        let source = read(file).unwrap();
        assert_eq!(source.study(), STUDY, "{at}");
        assert_eq!(source.matrix(), Some([3, 2]), "{at}");
        assert!(source.header().get(tags::PIXEL_DATA).is_none(), "{at}");
        assert_eq!(source.name(0), "7", "{at}");
    }
}

#[test]
fn a_file_may_begin_with_its_data_set() {
    for syntax in [
        uids::EXPLICIT_VR_LITTLE_ENDIAN,
        uids::IMPLICIT_VR_LITTLE_ENDIAN,
    ] {
        let whole = file(ct(), syntax);
        let group_2 = u32::from_le_bytes(whole[140..144].try_into().unwrap());
        let bare = &whole[144 + group_2 as usize..];
        let source = read(bare).unwrap();
        assert_eq!(source.sop_instance_uid(), "2.25.3", "{syntax}");
        for start in [132, 128] {
            let source = read(&whole[start..]).unwrap();
            assert_eq!(source.matrix(), Some([3, 2]), "{syntax} from {start}");
        }
    }
    let whole = file(ct(), uids::EXPLICIT_VR_LITTLE_ENDIAN);
    let group_2 = u32::from_le_bytes(whole[140..144].try_into().unwrap());
    let with_pad = [&[0], &whole[144 + group_2 as usize..]].concat();
    assert_eq!(read(&with_pad).unwrap().series(), "2.25.2");
}

#[test]
fn meta_information_may_lack_its_length() {
    // As in a third of the RSNA's files.
    let whole = file(ct(), uids::IMPLICIT_VR_LITTLE_ENDIAN);
    let without = [&whole[..132], &whole[144..]].concat();
    assert_eq!(read(&without).unwrap().matrix(), Some([3, 2]));
}

#[test]
fn elements_of_unknown_representation_are_read_by_the_dictionary() {
    let mut set = ct();
    let raw = PrimitiveValue::from(b"2.25.77\0".to_vec());
    set.put(DataElement::new(tags::STUDY_INSTANCE_UID, VR::UN, raw));
    let source = read(&file(set, uids::EXPLICIT_VR_LITTLE_ENDIAN)).unwrap();
    assert_eq!(source.study(), "2.25.77");
    let known = crate::element::known(source.header().get(tags::STUDY_INSTANCE_UID).unwrap());
    assert_eq!(known.vr(), VR::UI);
}

#[test]
fn what_the_header_lacks_may_stand_in_the_meta_information() {
    let mut set = ct();
    set.remove_element(tags::SOP_CLASS_UID);
    let source = read(&file(set, uids::EXPLICIT_VR_LITTLE_ENDIAN)).unwrap();
    let reference = source.reference();
    let class = reference.get(tags::REFERENCED_SOP_CLASS_UID).unwrap();
    assert_eq!(class.to_str().unwrap(), uids::CT_IMAGE_STORAGE);
}

#[test]
fn a_file_without_an_identifier_is_refused_by_its_name() {
    for (tag, name) in [
        (tags::STUDY_INSTANCE_UID, "Study Instance UID"),
        (tags::SERIES_INSTANCE_UID, "Series Instance UID"),
    ] {
        let mut set = ct();
        put(&mut set, tag, VR::UI, "");
        match read(&file(set, uids::EXPLICIT_VR_LITTLE_ENDIAN)) {
            Err(EvidenceError::Missing { path, attribute }) => {
                assert_eq!((path.as_path(), attribute), (Path::new("a.dcm"), name));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_no_dicom_is_refused() {
    let cut = &file(ct(), uids::EXPLICIT_VR_LITTLE_ENDIAN)[..170];
    for bytes in [&b""[..], b"no image", &[0xFF; 400], cut] {
        let error = read(bytes).unwrap_err();
        assert!(
            matches!(
                error,
                EvidenceError::Source { .. } | EvidenceError::Missing { .. }
            ),
            "{error}"
        );
        assert!(error.to_string().contains("a.dcm"));
    }
    let nowhere = SourceSlice::read(Path::new("nowhere.dcm")).unwrap_err();
    assert!(matches!(nowhere, EvidenceError::Io { .. }));
}

#[test]
fn a_file_may_be_cut_off_anywhere() {
    let whole = file(ct(), uids::EXPLICIT_VR_LITTLE_ENDIAN);
    // 12 bytes of pixels; what is cut before them is a header that ends too early.
    let pixels = whole.len() - 12;
    for length in 0..whole.len() {
        let is_read = read(&whole[..length]).is_ok();
        assert!(is_read || length < pixels, "{length} of {}", whole.len());
    }
}

#[test]
fn a_frame_lies_where_its_functional_groups_say() {
    let group = |sequence, tag, value: &str| {
        let mut item = DataSet::new_empty();
        put(&mut item, tag, VR::DS, value);
        let mut groups = DataSet::new_empty();
        put_item(&mut groups, sequence, item);
        groups
    };
    let position = |value| {
        group(
            tags::PLANE_POSITION_SEQUENCE,
            tags::IMAGE_POSITION_PATIENT,
            value,
        )
    };
    let mut shared = group(
        tags::PLANE_ORIENTATION_SEQUENCE,
        tags::IMAGE_ORIENTATION_PATIENT,
        "1\\0\\0\\0\\1\\0",
    );
    let mut measures = DataSet::new_empty();
    put(&mut measures, tags::PIXEL_SPACING, VR::DS, "0.5\\0.5");
    put_item(&mut shared, tags::PIXEL_MEASURES_SEQUENCE, measures);
    let mut set = ct();
    put(&mut set, tags::FRAME_OF_REFERENCE_UID, VR::UI, "2.25.9");
    put_item(&mut set, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE, shared);
    put_items(
        &mut set,
        tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
        vec![position("1\\2\\3"), position("1\\2\\8")],
    );
    let syntaxes = [
        uids::EXPLICIT_VR_LITTLE_ENDIAN,
        uids::IMPLICIT_VR_LITTLE_ENDIAN,
        "1.2.840.10008.1.2.2",
    ];
    let [source, others @ ..] = syntaxes.map(|syntax| read(&file(set.clone(), syntax)).unwrap());
    for other in others {
        assert_eq!(
            other.with_frame(2).geometry(),
            source.clone().with_frame(2).geometry()
        );
    }
    assert_eq!(source.geometry(), None);
    let second = source.with_frame(2);
    let geometry = second.geometry().unwrap();
    assert_eq!(geometry.position, [1.0, 2.0, 8.0]);
    assert_eq!(geometry.spacing, [0.5, 0.5]);
    assert_eq!(geometry.thickness, None);
    let reference = second.reference();
    assert_eq!(
        reference
            .get(tags::REFERENCED_FRAME_NUMBER)
            .unwrap()
            .to_int::<u32>()
            .unwrap(),
        2
    );
    assert_eq!(second.clone().with_frame(3).geometry(), None);
    assert_eq!(second.name(0), "frame 2");
}

/// A file in explicit VR with `element` before its pixels.
fn with_element(element: &[u8]) -> Vec<u8> {
    let mut bytes = file(ct(), uids::EXPLICIT_VR_LITTLE_ENDIAN);
    let pixels = bytes.len() - 24;
    bytes.splice(pixels..pixels, element.iter().copied());
    bytes
}

/// Group 29, which is private, comes before the pixels.
const UNKNOWN: &[u8] = b"\x29\0\x10\x10UN\0\0";
const ITEM: &[u8] = b"\xFE\xFF\0\xE0";
const ITEM_ENDS: &[u8] = b"\xFE\xFF\x0D\xE0\0\0\0\0";
const SEQUENCE_ENDS: &[u8] = b"\xFE\xFF\xDD\xE0\0\0\0\0";
const NO_LENGTH: &[u8] = &[0xFF; 4];

#[test]
fn a_sequence_of_unknown_representation_is_implicit_and_left_out() {
    // Its item's only element says no representation, so its length is where others say theirs.
    let element = b"\x29\0\x11\x10\x02\0\0\0hi";
    for item in [
        [ITEM, NO_LENGTH, element, ITEM_ENDS].concat(),
        [ITEM, &[10, 0, 0, 0], element].concat(),
    ] {
        let sequence = [UNKNOWN, NO_LENGTH, &item, SEQUENCE_ENDS].concat();
        let source = read(&with_element(&sequence)).unwrap();
        assert_eq!((source.study(), source.matrix()), (STUDY, Some([3, 2])));
        assert!(source.header().get(dicom_core::Tag(0x29, 0x1010)).is_none());
    }
}

#[test]
fn half_a_number_is_left_out_and_moves_nothing() {
    let half = b"\x28\0\x11\0US\x03\0abc";
    let next = b"\x29\0\x11\x10LO\x02\0hi";
    let source = read(&with_element(&[&half[..], next].concat())).unwrap();
    let next = source.header().get(dicom_core::Tag(0x29, 0x1011)).unwrap();
    assert_eq!(next.to_str().unwrap(), "hi");
    assert!(source.header().get(dicom_core::Tag(0x28, 0x11)).is_some());
}

#[test]
fn what_contradicts_itself_is_refused_without_room_for_what_it_states() {
    let long = [UNKNOWN, &0xFFFF_FF00_u32.to_le_bytes()].concat();
    let beyond = [
        UNKNOWN,
        NO_LENGTH,
        ITEM,
        &[1, 0, 0, 0],
        b"\x29\0\x11\x10\x02\0\0\0hi",
    ]
    .concat();
    let stray = [UNKNOWN, NO_LENGTH, ITEM_ENDS].concat();
    let nested = b"\x40\0\x75\x02SQ\0\0";
    let deep = [nested, NO_LENGTH, ITEM, NO_LENGTH].concat().repeat(100);
    for (element, said) in [
        (long, "are left"),
        (beyond, "beyond the end"),
        (stray, "where none began"),
        (deep, "deep"),
    ] {
        let error = read(&with_element(&element)).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}
