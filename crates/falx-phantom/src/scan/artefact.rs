//! Blur and noise of a reconstruction.

use rand::Rng;

/// Weights of a normalised Gaussian of standard deviation `sigma` pixels, its middle first.
fn gaussian(sigma: f32) -> Vec<f32> {
    if sigma < 0.15 {
        return vec![1.0];
    }
    let reach = (2.8 * sigma).ceil() as usize;
    let mut half: Vec<f32> = (0..=reach)
        .map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp())
        .collect();
    let sum = half[0] + 2.0 * half[1..].iter().sum::<f32>();
    for w in &mut half {
        *w /= sum;
    }
    half
}

/// Blurs a square image by a Gaussian of `sigma` pixels; beyond the border the border's value goes on.
pub fn blur(image: &mut [f32], side: usize, sigma: f32) {
    let half = gaussian(sigma);
    let reach = half.len() - 1;
    if reach == 0 || side == 0 {
        return;
    }
    let mut line = vec![0.0_f32; side + 2 * reach];
    for row in image.chunks_exact_mut(side) {
        let (first, last) = (row[0], row[side - 1]);
        line[..reach].fill(first);
        line[reach..reach + side].copy_from_slice(row);
        line[reach + side..].fill(last);
        for (x, out) in row.iter_mut().enumerate() {
            let mut sum = half[0] * line[x + reach];
            for (k, w) in half.iter().enumerate().skip(1) {
                sum += w * (line[x + reach - k] + line[x + reach + k]);
            }
            *out = sum;
        }
    }
    // Columns, row by row, so that memory is read in order.
    let source = image.to_vec();
    let row_of = |y: isize| {
        let y = y.clamp(0, side as isize - 1) as usize;
        &source[y * side..(y + 1) * side]
    };
    for (y, out) in image.chunks_exact_mut(side).enumerate() {
        let y = y as isize;
        for (o, v) in out.iter_mut().zip(row_of(y)) {
            *o = half[0] * v;
        }
        for (k, w) in half.iter().enumerate().skip(1) {
            let k = k as isize;
            for (o, (a, b)) in out.iter_mut().zip(row_of(y - k).iter().zip(row_of(y + k))) {
                *o += w * (a + b);
            }
        }
    }
}

/// Noise of unit standard deviation whose power peaks at a middle frequency: grains of `grain` pixels, nothing
/// at frequency zero, as filtered back-projection leaves it.
pub fn noise(rng: &mut impl Rng, side: usize, grain: f32) -> Vec<f32> {
    let mut fine: Vec<f32> = Vec::with_capacity(side * side);
    while fine.len() < side * side {
        // Four 16-bit uniforms make one nearly normal number.
        let bits = rng.next_u64();
        let sum: u64 = (0..4).map(|k| (bits >> (16 * k)) & 0xFFFF).sum();
        fine.push(sum as f32 - 131_070.0);
    }
    blur(&mut fine, side, 0.55 * grain);
    let mut coarse = fine.clone();
    blur(&mut coarse, side, 1.5 * grain);
    let mut power = 0.0_f64;
    for (f, c) in fine.iter_mut().zip(&coarse) {
        *f -= 0.8 * c;
        power += f64::from(*f * *f);
    }
    let scale = (fine.len().max(1) as f64 / power.max(1e-9)).sqrt() as f32;
    for f in &mut fine {
        *f *= scale;
    }
    fine
}
