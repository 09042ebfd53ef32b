//! Huffman codes of JPEG.

use super::super::bits::BitReader;
use super::super::corrupt;
use crate::Refused;

/// The most bits of a code.
const LONGEST: u32 = 16;
/// Codes of up to so many bits, or a code with its difference, are found by one look-up.
const LOOK_UP: u32 = 12;

/// The bits of a JPEG segment.
pub(super) type Bits<'a> = BitReader<'a, false>;

/// A Huffman table, ready to decode.
///
/// # Source
/// ITU-T T.81 Annex C and F.2.2.
#[derive(Clone, Debug)]
pub(super) struct Huffman {
    /// Symbols in the order of their codes.
    symbols: Vec<u8>,
    /// For each length the first code beyond its codes, at the top of 16 bits; and what to add to a code of that length
    /// for its symbol's place.
    ends: [(u32, i32); LONGEST as usize],
    /// For the next [`LOOK_UP`] bits the symbol and the length of its code; 0 where the code is longer.
    short: Vec<[u8; 2]>,
    /// The same with the difference that follows the code, and the length of both; 0 where they are longer.
    differences: Vec<(i16, u8)>,
}

impl Huffman {
    /// Makes the table of `counts` codes of each length from 1 and their `symbols`.
    pub(super) fn new(counts: &[u8; LONGEST as usize], symbols: &[u8]) -> Result<Self, Refused> {
        let mut short = vec![[0; 2]; 1 << LOOK_UP];
        let mut ends = [(0, 0); LONGEST as usize];
        let (mut code, mut place) = (0_u32, 0_usize);
        for ((length, &count), end) in (1..=LONGEST).zip(counts).zip(&mut ends) {
            let of_length = symbols.get(place..place + usize::from(count));
            let of_length = of_length.ok_or_else(|| corrupt("a Huffman table ends early"))?;
            let first = place as i32 - code as i32;
            if LOOK_UP >= length {
                let each = 1_usize << (LOOK_UP - length);
                let slots = short.get_mut((code as usize) * each..).unwrap_or_default();
                for (slots, &symbol) in slots.chunks_mut(each).zip(of_length) {
                    slots.fill([symbol, length as u8]);
                }
            }
            code += u32::from(count);
            place += usize::from(count);
            if code > 1 << length {
                return Err(corrupt("a Huffman table has too many codes of a length"));
            }
            *end = (code << (LONGEST - length), first);
            code <<= 1;
        }
        Ok(Self {
            symbols: symbols.to_vec(),
            ends,
            short,
            differences: Vec::new(),
        })
    }

    /// Adds the look-up of whole differences; refused where the table holds a symbol that is no length of one.
    pub(super) fn with_differences(mut self, longest: u8) -> Result<Self, Refused> {
        if self.symbols.iter().any(|&symbol| symbol > longest) {
            return Err(corrupt("a Huffman table has differences that are too long"));
        }
        let each = |(bits, &[size, length]): (usize, &[u8; 2])| {
            let whole = u32::from(length) + u32::from(size);
            if length == 0 || whole > LOOK_UP {
                return (0, 0);
            }
            let value = bits as u32 >> (LOOK_UP - whole) & ((1 << size) - 1);
            (extend(value, u32::from(size)) as i16, whole as u8)
        };
        self.differences = self.short.iter().enumerate().map(each).collect();
        Ok(self)
    }

    /// The next symbol, of bits that are ready.
    #[inline]
    pub(super) fn symbol(&self, bits: &mut Bits<'_>) -> Result<u8, Refused> {
        let place = (bits.peek() >> (64 - LOOK_UP)) as usize;
        if let Some(&[symbol, length @ 1..=u8::MAX]) = self.short.get(place) {
            bits.consume(u32::from(length))?;
            return Ok(symbol);
        }
        self.long_symbol(bits)
    }

    #[cold]
    fn long_symbol(&self, bits: &mut Bits<'_>) -> Result<u8, Refused> {
        let code = (bits.peek() >> (64 - LONGEST)) as u32;
        for (length, &(end, first)) in (1..=LONGEST).zip(&self.ends) {
            if code < end {
                bits.consume(length)?;
                let place = (code >> (LONGEST - length)) as i32 + first;
                let symbol = usize::try_from(place)
                    .ok()
                    .and_then(|p| self.symbols.get(p));
                return symbol.copied().ok_or_else(no_such_code);
            }
        }
        Err(no_such_code())
    }

    /// The next difference: its length's code and its bits; needs up to 32 bits ready.
    #[inline]
    pub(super) fn difference(&self, bits: &mut Bits<'_>) -> Result<i32, Refused> {
        let place = (bits.peek() >> (64 - LOOK_UP)) as usize;
        if let Some(&(difference, length @ 1..=u8::MAX)) = self.differences.get(place) {
            bits.consume(u32::from(length))?;
            return Ok(i32::from(difference));
        }
        let size = u32::from(self.symbol(bits)?);
        if size == 16 {
            // T.81 H.1.2.2: no bits follow.
            return Ok(32768);
        }
        Ok(extend(bits.take(size)?, size))
    }
}

/// The signed number of `size` (at most 16) bits.
///
/// # Source
/// ITU-T T.81 F.2.2.1, EXTEND.
#[inline]
pub(super) fn extend(value: u32, size: u32) -> i32 {
    let negative = value >> size.saturating_sub(1) == 0;
    let below = if negative { (1 << size) - 1 } else { 0 };
    value as i32 - below
}

#[cold]
fn no_such_code() -> Refused {
    corrupt("the compressed data has a code that its Huffman table lacks")
}
