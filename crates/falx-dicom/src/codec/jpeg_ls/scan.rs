//! The samples of a scan: each predicted from its neighbours, its error coded in the context of their gradients.
//!
//! # Source
//! ITU-T T.87 Annex A.

use super::corrupt;
use super::parameters::Parameters;
use crate::Refused;
use crate::codec::bits::BitReader;

/// The bits of a JPEG-LS segment.
type Bits<'a> = BitReader<'a, true>;

/// J: the order of a run's length by its index (A.7.1.1).
const RUN_ORDERS: [u32; 32] = [
    0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13,
    14, 15,
];
/// One for each triple of quantised gradients, of which the first that is not zero is positive.
const CONTEXTS: usize = 365;
/// The largest order of a Golomb code; sums of 16-bit errors never ask for more.
const MAX_ORDER: u32 = 20;

/// Decodes `rows` rows, each given to `write`, and gives what follows the segment.
pub(super) fn decode<'a>(
    mut bits: Bits<'a>,
    parameters: &Parameters,
    rows: usize,
    cols: usize,
    mut write: impl FnMut(&[u16]),
) -> Result<&'a [u8], Refused> {
    let mut scan = Scan::new(parameters);
    // One sample more on each side: the neighbours of a row's first and last.
    let mut above = vec![0; cols + 2];
    let mut row = vec![0; cols + 2];
    let mut samples = Vec::with_capacity(cols);
    for _ in 0..rows {
        above[cols + 1] = above[cols];
        row[0] = above[1];
        scan.row(&mut bits, &above, &mut row)?;
        samples.clear();
        samples.extend(row[1..=cols].iter().map(|&sample| sample as u16));
        write(&samples);
        std::mem::swap(&mut above, &mut row);
    }
    bits.end()
}

/// The sums of a context (A.2.1): A, B, C, N.
#[derive(Clone, Copy)]
struct Context {
    magnitudes: i64,
    bias: i32,
    correction: i32,
    count: i32,
}

/// The sums of what interrupts runs (A.7.2): A, N, Nn.
#[derive(Clone, Copy)]
struct RunContext {
    magnitudes: i64,
    count: i32,
    negative: i32,
}

struct Scan<'p> {
    parameters: &'p Parameters,
    /// RANGE times the distance of two neighbouring reconstructions.
    period: i32,
    step: i32,
    contexts: [Context; CONTEXTS],
    run_contexts: [RunContext; 2],
    run_index: usize,
}

impl<'p> Scan<'p> {
    fn new(parameters: &'p Parameters) -> Self {
        let magnitudes = i64::from((parameters.range + 32) / 64).max(2);
        let context = Context {
            magnitudes,
            bias: 0,
            correction: 0,
            count: 1,
        };
        let run_context = RunContext {
            magnitudes,
            count: 1,
            negative: 0,
        };
        let step = 2 * parameters.near + 1;
        Self {
            parameters,
            period: parameters.range * step,
            step,
            contexts: [context; CONTEXTS],
            run_contexts: [run_context; 2],
            run_index: 0,
        }
    }

    /// Decodes a row into `row[1..]` but its last element; `row[0]` is what stands left of it.
    fn row(&mut self, bits: &mut Bits<'_>, above: &[i32], row: &mut [i32]) -> Result<(), Refused> {
        let end = row.len() - 1;
        let mut at = 1;
        while at < end {
            let (left, corner) = (row[at - 1], above[at - 1]);
            let (over, beyond) = (above[at], above[at + 1]);
            let gradients = [beyond - over, over - corner, corner - left];
            let triple = gradients.map(|gradient| self.quantised(gradient));
            let signed = (triple[0] * 9 + triple[1]) * 9 + triple[2];
            if signed != 0 {
                row[at] = self.sample(bits, signed, left, over, corner)?;
                at += 1;
                continue;
            }
            let length = self.run(bits, end - at)?;
            row[at..at + length].fill(left);
            at += length;
            if at < end {
                row[at] = self.interruption(bits, left, above[at])?;
                at += 1;
            }
        }
        Ok(())
    }

    /// The region of a gradient, -4 to 4 (A.3.3).
    #[inline]
    fn quantised(&self, gradient: i32) -> i32 {
        let size = gradient.abs();
        let [t1, t2, t3] = self.parameters.gradients;
        let region = i32::from(size > self.parameters.near)
            + i32::from(size >= t1)
            + i32::from(size >= t2)
            + i32::from(size >= t3);
        if gradient < 0 { -region } else { region }
    }

    /// A sample in regular mode (A.4 to A.6); `signed` is its context, negative where all gradients are to be turned.
    #[inline]
    fn sample(
        &mut self,
        bits: &mut Bits<'_>,
        signed: i32,
        left: i32,
        over: i32,
        corner: i32,
    ) -> Result<i32, Refused> {
        let Parameters {
            most,
            near,
            reset,
            limit,
            ..
        } = *self.parameters;
        // Triples whose first element that is not zero is positive are the numbers 1 to 364.
        let context = &mut self.contexts[signed.unsigned_abs() as usize];
        let sign = signed.signum();
        let (low, high) = (left.min(over), left.max(over));
        let median = (left + over - corner).clamp(low, high);
        let prediction = (median + sign * context.correction).clamp(0, most);
        let order = order(context.count, context.magnitudes);
        let turned = near == 0 && order == 0 && 2 * context.bias <= -context.count;
        let mapped = self.parameters.code(bits, order, limit)?;
        let error = match (mapped % 2 == 1, turned) {
            (false, false) => mapped / 2,
            (true, false) => -(mapped + 1) / 2,
            (true, true) => (mapped - 1) / 2,
            (false, true) => -(mapped / 2) - 1,
        };
        context.update(error, self.step, reset);
        Ok(self.reconstructed(prediction, sign * error))
    }

    /// How many of at most `left_over` samples repeat the one before them (A.7.1).
    fn run(&mut self, bits: &mut Bits<'_>, left_over: usize) -> Result<usize, Refused> {
        let mut length = 0;
        loop {
            bits.refill();
            let order = RUN_ORDERS[self.run_index];
            if bits.take(1)? == 0 {
                let rest = bits.take(order)? as usize;
                if length + rest >= left_over {
                    return Err(corrupt("a run reaches beyond its row"));
                }
                return Ok(length + rest);
            }
            let whole = 1 << order;
            if length + whole <= left_over {
                self.run_index = (self.run_index + 1).min(RUN_ORDERS.len() - 1);
            }
            length = (length + whole).min(left_over);
            if length == left_over {
                return Ok(length);
            }
        }
    }

    /// The sample that ends a run (A.7.2).
    fn interruption(&mut self, bits: &mut Bits<'_>, left: i32, over: i32) -> Result<i32, Refused> {
        let Parameters {
            near, reset, limit, ..
        } = *self.parameters;
        let is_near = (left - over).abs() <= near;
        let kind = i32::from(is_near);
        let (prediction, sign) = match (is_near, left > over) {
            (true, _) => (left, 1),
            (false, true) => (over, -1),
            (false, false) => (over, 1),
        };
        let context = &mut self.run_contexts[usize::from(is_near)];
        let half = i64::from(if is_near { context.count >> 1 } else { 0 });
        let order = order(context.count, context.magnitudes + half);
        let limit = limit - RUN_ORDERS[self.run_index] - 1;
        let mapped = self.parameters.code(bits, order, limit)?;
        self.run_index = self.run_index.saturating_sub(1);
        let folded = mapped + kind;
        let size = (folded + 1) / 2;
        let prefers_negative = order != 0 || 2 * context.negative >= context.count;
        let error = if (folded % 2 == 1) == prefers_negative {
            -size
        } else {
            size
        };
        context.update(error, mapped, kind, reset);
        Ok(self.reconstructed(prediction, sign * error))
    }

    /// The sample whose prediction was off by `error` steps (A.4.5).
    #[inline]
    fn reconstructed(&self, prediction: i32, error: i32) -> i32 {
        let Parameters { most, near, .. } = *self.parameters;
        let mut sample = prediction + error * self.step;
        if sample < -near {
            sample += self.period;
        } else if sample > most + near {
            sample -= self.period;
        }
        sample.clamp(0, most)
    }
}

impl Context {
    /// Takes over an error (A.6).
    #[inline]
    fn update(&mut self, error: i32, step: i32, reset: i32) {
        self.bias += error * step;
        self.magnitudes += i64::from(error.abs());
        if self.count == reset {
            self.magnitudes >>= 1;
            self.bias >>= 1;
            self.count >>= 1;
        }
        self.count += 1;
        if self.bias <= -self.count {
            self.bias = (self.bias + self.count).max(1 - self.count);
            self.correction = (self.correction - 1).max(-128);
        } else if self.bias > 0 {
            self.bias = (self.bias - self.count).min(0);
            self.correction = (self.correction + 1).min(127);
        }
    }
}

impl RunContext {
    fn update(&mut self, error: i32, mapped: i32, kind: i32, reset: i32) {
        self.negative += i32::from(error < 0);
        self.magnitudes += i64::from((mapped + 1 - kind) >> 1);
        if self.count == reset {
            self.magnitudes >>= 1;
            self.count >>= 1;
            self.negative >>= 1;
        }
        self.count += 1;
    }
}

/// The order of the Golomb code for a context's sums (A.5.1).
#[inline]
fn order(count: i32, magnitudes: i64) -> u32 {
    let mut order = 0;
    while order < MAX_ORDER && i64::from(count) << order < magnitudes {
        order += 1;
    }
    order
}

impl Parameters {
    /// An error in a Golomb code of at most `limit` bits (A.5.3), mapped to whole numbers.
    #[inline]
    fn code(&self, bits: &mut Bits<'_>, order: u32, limit: u32) -> Result<i32, Refused> {
        bits.refill();
        let longest = limit - self.error_bits - 1;
        // Of 56 bits that are ready at most 47 are looked at.
        let zeros = bits.peek().leading_zeros();
        if zeros > longest {
            return Err(corrupt("a code is too long"));
        }
        bits.consume(zeros + 1)?;
        bits.refill();
        let mapped = if zeros < longest {
            (zeros << order) | bits.take(order)?
        } else {
            bits.take(self.error_bits)? + 1
        } as i32;
        // Errors are modulo RANGE; each is twice as large when mapped, and its sign makes one more.
        if mapped > self.range + 1 {
            return Err(corrupt("an error is larger than any sample"));
        }
        Ok(mapped)
    }
}
