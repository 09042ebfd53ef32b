use proptest::prelude::*;

use super::read::draw;
use super::*;
use crate::defect::DefectSet;
use crate::header::PixelFormat;
use crate::layout::{Layout, Padding};
use crate::pixels::Image;
use crate::reader::Frame;
use crate::{Defect, Refusal};

/// An image as a file would hold it, and what is asked of it.
#[derive(Clone, Debug)]
struct Case {
    rows: usize,
    cols: usize,
    spacing: Option<[f64; 2]>,
    format: PixelFormat,
    padding: Padding,
    cells: Vec<u16>,
    size: usize,
}

/// A picture in HU, its channels, and the defects.
type Drawn = (Vec<f32>, Vec<f32>, Vec<Defect>);

const WINDOWS: [[f32; 2]; 4] = [[40.0, 80.0], [80.0, 200.0], [600.0, 2801.5], [0.3, 7.77]];

fn windows() -> Vec<Window> {
    WINDOWS
        .iter()
        .map(|&[c, w]| Window::new(c, w).unwrap())
        .collect()
}

impl Case {
    fn frame<'a>(&self, bytes: &'a [u8]) -> Frame<'a> {
        Frame {
            header: SliceHeader {
                rows: self.rows,
                cols: self.cols,
                pixel_spacing: self.spacing,
                format: self.format,
                ..SliceHeader::default()
            },
            layout: Layout {
                pixels: self.rows * self.cols,
                format: self.format,
                overlay_bits: 0,
            },
            padding: self.padding,
            cells: bytes,
            defects: DefectSet::default(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.cells
            .iter()
            .flat_map(|cell| cell.to_le_bytes())
            .collect()
    }

    /// The definition: the slice in memory, fitted, then each window for itself.
    fn defined(&self) -> Result<Drawn, Refusal> {
        let bytes = self.bytes();
        let slice = self.frame(&bytes).decode(&mut Image::default());
        let slice = slice.map_err(|refused| refused.refusal)?;
        let mut hu = vec![0.0; self.size * self.size];
        fit(&slice, self.size, &mut hu);
        let tensor = windows()
            .into_iter()
            .flat_map(|window| hu.iter().map(move |&hu| window.unit_interval(Hu(hu))))
            .collect();
        Ok((hu, tensor, slice.defects))
    }

    /// The same in one pass.
    fn drawn(&self) -> Result<Drawn, Refusal> {
        let bytes = self.bytes();
        let mut drawing = Drawing::default();
        let mut image = Image::default();
        let mut hu = vec![f32::NAN; self.size * self.size];
        let target = Target::hu(self.size, &mut hu);
        let info = draw(self.frame(&bytes), &mut image, &mut drawing, target);
        let info = info.map_err(|refused| refused.refusal)?;
        let mut tensor = vec![f32::NAN; WINDOWS.len() * hu.len()];
        let target = Target::windows(self.size, &windows(), &mut tensor);
        let again = draw(self.frame(&bytes), &mut image, &mut drawing, target);
        assert_eq!(again.unwrap().defects, info.defects);
        Ok((hu, tensor, info.defects))
    }
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

prop_compose! {
    fn sides()(factor in 1..9_usize, rows in 1..40_usize, cols in 1..40_usize, is_whole in any::<bool>())
        -> (usize, usize, usize) {
        if is_whole {
            // Sides that some halving fits, with and without a border.
            let factor = factor.next_power_of_two();
            (rows * factor, cols * factor, rows.max(cols))
        } else {
            (rows, cols, factor * 7 % 50 + 1)
        }
    }
}

prop_compose! {
    fn format()(
        bits_stored in 8..=16_u16,
        signed in any::<bool>(),
        rescale_slope in prop::sample::select(vec![1.0, 1.0, 1.0, 0.5, -2.0]),
        rescale_intercept in prop::sample::select(vec![-1024.0, -1024.0, 0.0, -99.0, 30_000.0, 40_000.0, 0.25]),
    ) -> PixelFormat {
        PixelFormat {
            bits_allocated: 16,
            bits_stored,
            high_bit: bits_stored - 1,
            signed,
            rescale_slope,
            rescale_intercept,
        }
    }
}

prop_compose! {
    fn case()(
        (rows, cols, size) in sides(),
        format in format(),
        spacing in prop::sample::select(vec![None, Some([0.5, 0.5]), Some([0.5, 0.5]), Some([0.4, 0.9]), Some([9.0, 0.1])]),
        padding in prop::option::of((-3000..3000_i64, 0..600_i64)),
        low in any::<u16>(),
        spread in prop::sample::select(vec![1_u32, 40, 5000, 65536]),
        seeds in prop::collection::vec(any::<u16>(), 64),
        dirty in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) -> Case {
        let field = ((1_u32 << format.bits_stored) - 1) as u16;
        let mut cells: Vec<u16> = (0..rows * cols)
            .map(|at| {
                let step = u32::from(seeds[at * 7 % 64]) + at as u32;
                low.wrapping_add((step % spread) as u16) & field
            })
            .collect();
        if let (Some(at), false) = (dirty, field == u16::MAX) {
            *at.get_mut(&mut cells) |= field + 1;
        }
        let padding = padding.map_or(Padding::NONE, |(low, length)| Padding {
            low,
            high: low + length,
            whole_cell: None,
        });
        Case { rows, cols, spacing, format, padding, cells, size }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn one_pass_gives_the_bits_and_the_defects_of_the_definition(case in case()) {
        match (case.drawn(), case.defined()) {
            (Ok((hu, tensor, defects)), Ok((hu_meant, tensor_meant, defects_meant))) => {
                prop_assert_eq!(bits(&hu), bits(&hu_meant));
                prop_assert_eq!(bits(&tensor), bits(&tensor_meant));
                prop_assert_eq!(defects, defects_meant);
            }
            (drawn, defined) => prop_assert_eq!(drawn.err(), defined.err()),
        }
    }

    #[test]
    fn whole_units_are_drawn_as_their_slice(
        numbers in prop::collection::vec(any::<i16>(), 40 * 24), rows in 1..41_usize, spacing in 0.5..2.0_f64,
    ) {
        let (cols, size) = (24, 24);
        for (rows, size, spacing) in [
            (24, 24, None), (24, 12, Some([spacing; 2])), (40, 20, None), (rows, size, None),
            (24, 6, Some([spacing, 1.0])), (24, 3, None),
        ] {
            let header = SliceHeader { rows, cols, pixel_spacing: spacing, ..SliceHeader::default() };
            let numbers = &numbers[..rows * cols];
            let slice = CtSlice {
                hu: numbers.iter().map(|&number| Hu(number.into())).collect(),
                header: header.clone(),
                ..CtSlice::default()
            };
            let mut defined = vec![7.0; size * size];
            fit(&slice, size, &mut defined);
            let whole: Vec<[u8; 2]> = numbers.iter().map(|number| number.to_le_bytes()).collect();
            let mut drawn = vec![7.0; size * size];
            prop_assert_eq!(fit_whole(&header, &whole, size, &mut drawn), is_halved(&header, size));
            if is_halved(&header, size) {
                prop_assert_eq!(bits(&drawn), bits(&defined));
            } else {
                prop_assert!(drawn.iter().all(|&value| value == 7.0));
                prop_assert!(rows != 24 || size < 12, "halving does it");
            }
            prop_assert!(!fit_whole(&header, &whole[1..], size, &mut drawn));
        }
    }

    #[test]
    fn a_picture_stays_within_its_slice_and_keeps_constants_and_flips(
        (rows, cols, size) in sides(),
        values in prop::collection::vec(-900.0..3000.0_f32, 1600),
        spacing in prop::sample::select(vec![[0.5, 0.5], [0.4, 0.9]]),
    ) {
        let slice = |hu: Vec<Hu>| CtSlice {
            header: SliceHeader { rows, cols, pixel_spacing: Some(spacing), ..SliceHeader::default() },
            hu,
            padding: None,
            defects: vec![],
        };
        let fitted = |slice: &CtSlice| {
            let mut hu = vec![0.0; size * size];
            fit(slice, size, &mut hu);
            hu
        };
        let hu: Vec<Hu> = (0..rows * cols).map(|at| Hu(values[at % 1600])).collect();
        let picture = fitted(&slice(hu.clone()));
        let high = hu.iter().map(|hu| hu.0).fold(PADDING, f32::max);
        prop_assert!(picture.iter().all(|&p| p >= PADDING - 0.01 && p <= high + 0.01));
        // A constant stays one wherever the slice covers whole pixels.
        let constant = fitted(&slice(vec![Hu(40.0); rows * cols]));
        let most = constant.iter().copied().fold(PADDING, f32::max);
        let [down, across] = Geometry::of(&slice(vec![]).header).steps(size);
        let covers_some = rows as f64 >= 2.0 * down && cols as f64 >= 2.0 * across;
        prop_assert!(most < 40.01 && (most > 39.99 || !covers_some), "{most}");
        // Where a picture grows, a point may lie on the very edge, and an edge belongs to one side.
        if down < 1.0 || across < 1.0 {
            return Ok(());
        }
        let flipped: Vec<Hu> = hu.chunks(cols).flat_map(|row| row.iter().rev().copied()).collect();
        let of_flipped = fitted(&slice(flipped));
        let back = of_flipped.chunks(size).flat_map(|row| row.iter().rev());
        prop_assert!(picture.iter().zip(back).all(|(a, b)| (a - b).abs() < 0.05));
    }

    #[test]
    fn windows_rise_within_their_interval(hu in prop::collection::vec(-3000.0..4000.0_f32, 1..100)) {
        let mut hu = hu;
        hu.sort_by(f32::total_cmp);
        let mut out = vec![f32::NAN; hu.len() * WINDOWS.len()];
        apply_windows(&hu, &windows(), &mut out);
        for (channel, window) in out.chunks(hu.len()).zip(windows()) {
            prop_assert!(channel.is_sorted());
            prop_assert!(channel.iter().all(|value| (0.0..=1.0).contains(value)));
            let meant: Vec<f32> = hu.iter().map(|&hu| window.unit_interval(Hu(hu))).collect();
            prop_assert_eq!(bits(channel), bits(&meant));
        }
    }
}

#[test]
fn a_mean_over_four_pixels_is_exact() {
    let slice = CtSlice {
        header: SliceHeader {
            rows: 2,
            cols: 4,
            ..SliceHeader::default()
        },
        hu: [10.0, 20.0, -5.0, -5.0, 30.0, 41.0, -5.0, -5.0]
            .map(Hu)
            .to_vec(),
        padding: None,
        defects: vec![],
    };
    let mut hu = [0.0; 5];
    fit(&slice, 2, &mut hu);
    // The slice is twice as wide as high: half a pixel above and below it is padding.
    let half = |mean: f32| f32::midpoint(mean, PADDING);
    assert_eq!(hu, [half(15.0), half(-5.0), half(35.5), half(-5.0), 0.0]);
}

#[test]
fn what_does_not_fit_is_left_alone() {
    let slice = CtSlice {
        header: SliceHeader::default(),
        hu: vec![],
        padding: None,
        defects: vec![],
    };
    let mut hu = [7.0; 3];
    fit(&slice, 2, &mut hu);
    fit(&slice, 0, &mut hu);
    assert_eq!(hu, [7.0; 3]);
    fit(&slice, 1, &mut hu);
    assert_eq!(hu, [PADDING, 7.0, 7.0]);
}
