use proptest::prelude::*;

use super::*;

fn format(bits_stored: u16, signed: bool, intercept: f64) -> PixelFormat {
    PixelFormat {
        bits_allocated: 16,
        bits_stored,
        high_bit: bits_stored - 1,
        signed,
        rescale_slope: 1.0,
        rescale_intercept: intercept,
    }
}

fn both(
    cells: &[u16],
    format: PixelFormat,
    padding: Padding,
) -> [Result<(Image, Vec<Defect>), Refused>; 2] {
    let layout = Layout {
        pixels: cells.len(),
        format,
        overlay_bits: 0,
    };
    let bytes: Vec<[u8; 2]> = cells.iter().map(|cell| cell.to_le_bytes()).collect();
    let mut defects = [DefectSet::default(), DefectSet::default()];
    let [of_fast, of_general] = &mut defects;
    let mut images = [Image::default(), Image::default()];
    let [by_fast, by_general] = &mut images;
    Values::of(&bytes, &layout, &padding, &mut DefectSet::default())
        .expect("the layout is the common one");
    let fast = decode(bytes.as_flattened(), &layout, &padding, of_fast, by_fast);
    let cells = cells.iter().map(|&cell| u32::from(cell));
    let general = general::decode(cells, &layout, &padding, of_general, by_general);
    let [by_fast, by_general] = images;
    let [of_fast, of_general] = defects.map(DefectSet::into_vec);
    [
        fast.map(|()| (by_fast, of_fast)),
        general.map(|()| (by_general, of_general)),
    ]
}

/// Cells that mostly fit the field, so that most images are accepted.
fn cells(bits_stored: u16, signed: bool) -> impl Strategy<Value = Vec<u16>> {
    let unused = 16 - u32::from(bits_stored);
    let fitting = any::<i16>().prop_map(move |cell| {
        if signed {
            (cell >> unused).cast_unsigned()
        } else {
            cell.cast_unsigned() >> unused
        }
    });
    // More than a block, so that clean and padded blocks meet.
    proptest::collection::vec(
        prop_oneof![30 => fitting, 1 => Just(0), 1 => Just(u16::MAX >> unused)],
        1..5000,
    )
}

fn case() -> impl Strategy<Value = (u16, bool, f64, Option<(i64, i64)>, Vec<u16>)> {
    (1_u16..=16, any::<bool>()).prop_flat_map(|(bits, signed)| {
        let span = 1_i64 << bits;
        let domain = if signed { -span / 2..span / 2 } else { 0..span };
        let intercept = prop_oneof![
            Just(0.0),
            Just(-1024.0),
            (-70_000..70_000).prop_map(f64::from)
        ];
        let padding = proptest::option::of((domain.clone(), domain));
        (
            Just(bits),
            Just(signed),
            intercept,
            padding,
            cells(bits, signed),
        )
    })
}

proptest! {
    #[test]
    fn the_fast_path_gives_what_the_definition_gives((bits, signed, intercept, padding, mut cells) in case(), spoil in proptest::option::weighted(0.1, any::<(prop::sample::Index, u16)>())) {
        if let Some((at, bit)) = spoil {
            *at.get_mut(&mut cells) ^= bit;
        }
        let padding = padding.map_or(Padding::NONE, |(a, b)| Padding {
            low: a.min(b),
            high: a.max(b),
            whole_cell: None,
        });
        let [fast, general] = both(&cells, format(bits, signed, intercept), padding);
        prop_assert_eq!(fast, general);
    }
}

#[test]
fn a_wrapped_image_is_unwrapped_and_named() {
    let cells = [0, 1000, 3095, 3096, 4095];
    for result in both(&cells, format(12, false, 0.0), Padding::NONE) {
        let (image, defects) = result.expect("all cells are clean");
        assert_eq!(image.hu, [0.0, 1000.0, 3095.0, -1000.0, -1.0].map(Hu));
        assert!(image.mask.is_empty());
        assert_eq!(defects, [Defect::Rsna12bitWrapRepaired]);
    }
}

#[test]
fn padding_is_masked_filled_and_named_only_where_undeclared() {
    let cells = [-3000_i16, -2000, -1999, 40].map(i16::cast_unsigned);
    let declared = Padding {
        low: -3000,
        high: -3000,
        whole_cell: None,
    };
    for (padding, names) in [
        (Padding::NONE, vec![Defect::PaddingClamped]),
        (declared, vec![Defect::PaddingClamped]),
    ] {
        for result in both(&cells, format(16, true, 0.0), padding) {
            let (image, defects) = result.expect("all cells are clean");
            assert_eq!(image.hu, [-1024.0, -1024.0, -1999.0, 40.0].map(Hu));
            assert_eq!(image.mask, [true, true, false, false]);
            assert_eq!(defects, names);
        }
    }
    let all = Padding {
        low: -3000,
        high: -2000,
        whole_cell: None,
    };
    for result in both(&cells, format(16, true, 0.0), all) {
        assert_eq!(result.expect("all cells are clean").1, []);
    }
}
