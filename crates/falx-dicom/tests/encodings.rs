//! One image in every encoding that needs no codec, several frames, and display tables.

mod support;

use falx_dicom::{CtSlice, Decoded, Defect, Refusal, Refused, read_bytes};
use support::{
    BIG_ENDIAN, DEFLATED, EXPLICIT, Elements, RLE, Value, deflate, element, enhanced, image, rle,
    stored, text, us, with_meta,
};

const PIXEL_DATA: support::Tag = (0x7FE0, 0x0010);

fn slice(bytes: &[u8]) -> CtSlice {
    read_bytes(bytes).unwrap().into_slice().unwrap()
}

fn refusal(bytes: &[u8]) -> Refusal {
    read_bytes(bytes).unwrap_err().refusal
}

/// The slice as it would be had it come in the plainest encoding.
fn as_explicit(mut slice: CtSlice) -> CtSlice {
    EXPLICIT.clone_into(&mut slice.header.transfer_syntax);
    slice
}

#[test]
fn big_endian_and_deflated_files_give_what_the_plain_one_gives() {
    let padded = image()
        .with((0x0028, 0x0120), us(1050))
        .with((0x0028, 0x0103), us(1));
    for elements in [image(), padded] {
        let plain = slice(&elements.file(EXPLICIT));
        for syntax in [BIG_ENDIAN, DEFLATED] {
            assert_eq!(
                as_explicit(slice(&elements.file(syntax))),
                plain,
                "{syntax}"
            );
        }
    }
}

#[test]
fn eight_bit_cells_in_big_endian_words_come_in_their_order() {
    // Two frames of 3 x 3: the fifth word holds the last cell of one frame and the first of the other.
    let cells: Vec<u8> = (1..=18).collect();
    let elements = image()
        .with((0x0028, 0x0008), text("IS", "2"))
        .with((0x0028, 0x0010), us(3))
        .with((0x0028, 0x0011), us(3))
        .with((0x0028, 0x0100), us(8))
        .with((0x0028, 0x0101), us(8))
        .with((0x0028, 0x0102), us(7))
        .with((0x0028, 0x1052), text("DS", "0"));
    let little = elements
        .clone()
        .with(PIXEL_DATA, Value::Bytes("OW", cells.clone()));
    let words = cells
        .as_chunks()
        .0
        .iter()
        .map(|&two| u16::from_le_bytes(two))
        .collect();
    let big = elements.clone().with(PIXEL_DATA, Value::Words("OW", words));
    let bytes = elements.with(PIXEL_DATA, Value::Bytes("OB", cells));
    for file in [
        little.file(EXPLICIT),
        big.file(BIG_ENDIAN),
        bytes.file(BIG_ENDIAN),
    ] {
        let decoded = read_bytes(&file).unwrap();
        let values: Vec<f32> = decoded
            .slices
            .iter()
            .flat_map(|s| &s.hu)
            .map(|hu| hu.0)
            .collect();
        assert_eq!(values, (1..=18_u8).map(f32::from).collect::<Vec<_>>());
    }
}

#[test]
fn thirty_two_bit_cells_in_big_endian_are_refused() {
    let cells = (0..24_u16).flat_map(|i| [0, i]).collect();
    let elements = image()
        .with((0x0028, 0x0100), us(32))
        .with((0x0028, 0x0101), us(32))
        .with((0x0028, 0x0102), us(31))
        .with(PIXEL_DATA, Value::Words("OW", cells));
    assert_eq!(
        refusal(&elements.file(BIG_ENDIAN)),
        Refusal::UnsupportedTransferSyntax
    );
}

#[test]
fn a_deflated_file_may_end_with_a_pad_byte_and_not_with_more() {
    let mut bytes = image().file(DEFLATED);
    bytes.push(0);
    assert_eq!(slice(&bytes).defects, []);
    bytes.push(0);
    assert_eq!(slice(&bytes).defects, [Defect::TrailingBytes]);
    for cut in 3..40 {
        let cut = &bytes[..bytes.len() - cut];
        assert!(matches!(
            refusal(cut),
            Refusal::Truncated | Refusal::CorruptCodestream
        ));
    }
}

#[test]
fn what_inflates_beyond_its_image_is_refused() {
    let zeros = |tag| element(tag, &Value::Bytes("OB", vec![0; 40 << 20]), false);
    let before = [zeros((0x0009, 0x1001)), image().bytes(false)].concat();
    let after = [image().bytes(false), zeros((0x7FE1, 0x1001))].concat();
    for data_set in [before, after] {
        let bomb = with_meta(DEFLATED, &deflate(&data_set));
        assert!(bomb.len() < 100_000);
        assert_eq!(refusal(&bomb), Refusal::TooLarge);
    }
}

#[test]
fn frames_of_an_enhanced_image_have_their_own_place_and_scale() {
    let Decoded { slices } = read_bytes(&enhanced().file(EXPLICIT)).unwrap();
    let places: Vec<_> = slices
        .iter()
        .map(|s| s.header.position_mm().unwrap().0)
        .collect();
    assert_eq!(places, [30.0, 35.0]);
    let numbers: Vec<_> = slices.iter().map(|s| s.header.frame_number).collect();
    assert_eq!(numbers, [Some(1), Some(2)]);
    for (slice, slope) in slices.iter().zip([1.0, 2.0]) {
        let expected: Vec<f32> = stored()
            .iter()
            .map(|&p| slope * (f32::from(p) - 1024.0))
            .collect();
        assert_eq!(slice.hu.iter().map(|hu| hu.0).collect::<Vec<_>>(), expected);
        assert_eq!(slice.header.pixel_spacing, Some([0.5, 0.75]));
        assert_eq!(slice.header.slice_thickness, Some(5.0));
        assert_eq!(slice.header.image_type.len(), 4);
        assert_eq!(slice.header.windows.len(), 1);
    }
    let big = read_bytes(&enhanced().file(BIG_ENDIAN)).unwrap();
    let big = big.slices.into_iter().map(as_explicit).collect::<Vec<_>>();
    assert_eq!(big, slices);
    assert_eq!(Decoded { slices }.into_slice(), None);
}

#[test]
fn functional_groups_that_do_not_fit_are_refused() {
    let one_group = enhanced().with((0x5200, 0x9230), Value::Items(vec![Elements::default()]));
    assert_eq!(
        refusal(&one_group.file(EXPLICIT)),
        Refusal::InconsistentPixelGeometry
    );
    let empty = vec![Elements::default(), Elements::default()];
    let no_rescale = enhanced().with((0x5200, 0x9230), Value::Items(empty));
    assert_eq!(refusal(&no_rescale.file(EXPLICIT)), Refusal::MissingRescale);
    let frame_type =
        Elements::default().with((0x0008, 0x9007), text("CS", "ORIGINAL\\PRIMARY\\LOCALIZER"));
    let shared = Elements::default().with((0x0018, 0x9329), Value::Items(vec![frame_type]));
    let localizer = enhanced().with((0x5200, 0x9229), Value::Items(vec![shared]));
    assert_eq!(refusal(&localizer.file(EXPLICIT)), Refusal::Localizer);
}

#[test]
fn a_plain_image_of_two_frames_has_no_position() {
    let twice = [stored(), stored()].concat();
    let elements = image()
        .with((0x0028, 0x0008), text("IS", "2"))
        .with(PIXEL_DATA, Value::Words("OW", twice));
    let decoded = read_bytes(&elements.file(EXPLICIT)).unwrap();
    assert_eq!(decoded.slices.len(), 2);
    assert!(
        decoded
            .slices
            .iter()
            .all(|s| s.header.image_position.is_none())
    );
}

/// Two RLE frames, with the offset table and the extended one as given.
fn two_rle_frames(basic: &[u32], extended: Option<&[u64]>) -> Result<Vec<Defect>, Refused> {
    let table = basic
        .iter()
        .flat_map(|offset| offset.to_le_bytes())
        .collect();
    let second: Vec<u16> = stored().iter().rev().copied().collect();
    let items = vec![table, rle(&stored()), rle(&second)];
    let mut elements = image()
        .with((0x0028, 0x0008), text("IS", "2"))
        .with(PIXEL_DATA, Value::Fragments(items));
    if let Some(offsets) = extended {
        let bytes = offsets
            .iter()
            .flat_map(|offset| offset.to_le_bytes())
            .collect();
        elements = elements.with((0x7FE0, 0x0001), Value::Bytes("OV", bytes));
    }
    let decoded = read_bytes(&elements.file(RLE))?;
    let first = &decoded.slices[0];
    let reversed: Vec<_> = decoded.slices[1].hu.iter().rev().copied().collect();
    assert_eq!(first.hu, reversed);
    assert_eq!(first.hu[0].0, -24.0);
    Ok(decoded.defects())
}

#[test]
fn offset_tables_are_believed_only_where_they_can_be_true() {
    let next = rle(&stored()).len() as u32 + 8;
    let bad = vec![Defect::BadOffsetTable];
    assert_eq!(two_rle_frames(&[], None), Ok(vec![]));
    assert_eq!(two_rle_frames(&[0, next], None), Ok(vec![]));
    assert_eq!(two_rle_frames(&[0, next + 2], None), Ok(bad.clone()));
    assert_eq!(two_rle_frames(&[next, 0], None), Ok(bad.clone()));
    assert_eq!(two_rle_frames(&[0], None), Ok(bad.clone()));
    assert_eq!(two_rle_frames(&[], Some(&[0, u64::from(next)])), Ok(vec![]));
    assert_eq!(two_rle_frames(&[], Some(&[0, u64::MAX])), Ok(bad));
}

#[test]
fn a_voi_lut_gives_its_greys_and_a_broken_one_is_named() {
    let table = |descriptor: Vec<u16>, data: Vec<u16>| {
        Elements::default()
            .with((0x0028, 0x3002), Value::Words("SS", descriptor))
            .with((0x0028, 0x3003), text("LO", "BRAIN"))
            .with((0x0028, 0x3006), Value::Words("OW", data))
    };
    let minus_two = (-2_i16).cast_unsigned();
    let good = table(vec![4, minus_two, 8], vec![0, 85, 170, 255]);
    let short = table(vec![5, minus_two, 8], vec![0, 85, 170, 255]);
    let deep = table(vec![1, 0, 17], vec![1]);
    let elements = image().with((0x0028, 0x3010), Value::Items(vec![good, short, deep]));
    for syntax in [EXPLICIT, BIG_ENDIAN] {
        let slice = slice(&elements.file(syntax));
        assert_eq!(slice.defects, [Defect::WindowInvalid]);
        let [lut] = slice.header.voi_luts.as_slice() else {
            panic!("{:?}", slice.header.voi_luts)
        };
        assert_eq!(
            (lut.first_hu(), lut.len(), lut.explanation()),
            (-2, 4, Some("BRAIN"))
        );
        let greys = [-1000.0, -2.0, -1.2, 0.0, 1.0, 3000.0].map(|hu| lut.output(hu));
        assert_eq!(greys, [0.0, 0.0, 85.0, 170.0, 255.0, 255.0]);
    }
}
