use falx_core::Hu;
use falx_dicom::{CtSlice, SliceHeader};

use super::{Digest, digest};

fn slice(values: Vec<f32>, padding: Option<Vec<bool>>) -> CtSlice {
    CtSlice {
        header: SliceHeader {
            rows: 1,
            cols: values.len(),
            ..SliceHeader::default()
        },
        hu: values.into_iter().map(Hu).collect(),
        padding,
        defects: Vec::new(),
    }
}

#[test]
fn pictures_are_measured_beyond_one_step_and_padding_is_no_value() {
    let mut values: Vec<f32> = (0..20_000).map(|at| (at % 100) as f32).collect();
    values[19_999] = 900.0;
    values[3] = -2000.0;
    let mut padding = vec![false; 20_000];
    padding[3] = true;
    let Digest {
        range,
        bone_fraction,
        brain_fraction,
        ..
    } = digest(&slice(values, Some(padding)));
    assert_eq!(range, Some((Hu(0.0), Hu(900.0))));
    assert_eq!(bone_fraction, 1.0 / 20_000.0);
    // 0 to 80 of each hundred, less the one that became padding; the last was 99 anyway.
    assert_eq!(brain_fraction, (81.0 * 200.0 - 1.0) / 20_000.0);
}

#[test]
fn every_value_the_shape_and_the_kind_of_value_count() {
    let values: Vec<f32> = (0..9000).map(|at| at as f32 - 4000.0).collect();
    let hash = |values: &[f32]| digest(&slice(values.to_vec(), None)).hash;
    let first = hash(&values);
    for at in [0, 8191, 8192, 8999] {
        let mut other = values.clone();
        other[at] += 1.0;
        assert_ne!(hash(&other), first);
        other[at] -= 0.5;
        assert_ne!(hash(&other), first, "fractions");
    }
    let mut turned = slice(values.clone(), None);
    (turned.header.rows, turned.header.cols) = (9000, 1);
    assert_ne!(digest(&turned).hash, first);
    let large = vec![40_000.0; 4];
    assert_ne!(hash(&large), hash(&[32_767.0; 4]), "the cast saturates");
    assert_eq!(hash(&[f32::NAN; 2]), hash(&[f32::NAN; 2]));
    assert_ne!(hash(&[f32::NAN; 2]), hash(&[0.0; 2]));
}

#[test]
fn a_picture_without_values_has_no_range() {
    let empty = digest(&slice(Vec::new(), None));
    assert_eq!((empty.range, empty.bone_fraction), (None, 0.0));
    let padded = digest(&slice(vec![-2000.0; 3], Some(vec![true; 3])));
    assert_eq!(padded.range, None);
}
