use proptest::prelude::*;

use super::*;
use crate::operators::conv::{Conv, ConvKernel, PreparedConv, Weights};

/// Numbers of both signs that repeat nothing for long.
fn numbers(count: usize, seed: usize) -> Vec<f32> {
    let golden = 0.618_033_988_75;
    let part = |i: usize| ((i + 31 * seed + 1) as f64 * golden).fract();
    (0..count).map(|i| (2.0 * part(i) - 1.0) as f32).collect()
}

fn largest(numbers: &[f32]) -> f32 {
    numbers.iter().map(|x| x.abs()).fold(0.0, f32::max)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn gives_the_direct_sums(
        images in 1..4_usize, rows in 15..30_usize, columns in 15..30_usize,
        inputs in 1..4_usize, outputs in 1..5_usize, pads in proptest::array::uniform4(0..2_usize),
        adds: bool, relu: bool, seed in 0..100_usize,
    ) {
        let (inputs, outputs) = (16 * inputs, 16 * outputs);
        let conv = Conv { pads, ..Conv::same(outputs, 3) };
        let height = rows + pads[0] + pads[2] - 2;
        let width = columns + pads[1] + pads[3] - 2;
        let kernel = ConvKernel::new(&conv, [inputs, rows, columns], [outputs, height, width]);
        let weights = numbers(outputs * inputs * 9, seed);
        let bias = numbers(outputs, seed + 1);
        let seen = numbers(images * rows * columns * inputs, seed + 2);
        let add = numbers(images * height * width * outputs, seed + 3);
        let prepared = PreparedConv::new(&kernel, &weights, Some(&bias));
        prop_assert!(matches!(prepared.weights, Weights::Winograd(_)));
        let finish = Finish { add: adds.then_some(&add), relu };
        let found = prepared.forward(&seen, finish);

        let mut meant = kernel.forward(&seen, &weights, Some(&bias));
        let tolerance = 2e-5 * largest(&meant);
        for (meant, add) in meant.iter_mut().zip(&add) {
            *meant += if adds { *add } else { 0.0 };
            *meant = if relu { meant.max(0.0) } else { *meant };
        }
        prop_assert_eq!(found.len(), meant.len());
        for (found, meant) in found.iter().zip(&meant) {
            prop_assert!((found - meant).abs() <= tolerance, "{} {}", found, meant);
        }
        // Neither threads nor the batch change a bit.
        let alone = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let first = &seen[..seen.len() / images];
        let finish = Finish { add: adds.then(|| &add[..add.len() / images]), relu };
        let again = alone.install(|| prepared.forward(first, finish));
        prop_assert_eq!(&again, &found[..again.len()]);
    }
}

#[test]
fn is_for_large_images_and_whole_vectors_alone() {
    let pays = |conv: Conv, channels: usize, size: usize| {
        let [rows, columns] = conv.window().output([size, size]).unwrap();
        let kernel = ConvKernel::new(
            &conv,
            [channels, size, size],
            [conv.channels, rows, columns],
        );
        Winograd::pays(&kernel.0)
    };
    let same = Conv::same(32, 3);
    assert!(pays(same, 16, 13));
    assert!(!pays(same, 16, 12), "nine tiles");
    assert!(!pays(same, 3, 64));
    assert!(!pays(Conv::same(24, 3), 16, 64));
    assert!(!pays(Conv::same(32, 5), 16, 64));
    for other in [
        Conv {
            strides: [2, 2],
            ..same
        },
        Conv {
            dilations: [2, 2],
            ..same
        },
        Conv { groups: 2, ..same },
    ] {
        assert!(!pays(other, 32, 64));
    }
}
