//! Pictures inside the page.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A PNG file as a `data:` address.
///
/// # Source
/// RFC 2397; RFC 4648, section 4 (base 64).
pub fn png(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4 + 22);
    text.push_str("data:image/png;base64,");
    for chunk in bytes.chunks(3) {
        let byte = |i: usize| u32::from(chunk.get(i).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4_usize {
            if place > chunk.len() {
                text.push('=');
            } else {
                let six = (word >> (18 - 6 * place)) & 63;
                text.push(char::from(ALPHABET[six as usize]));
            }
        }
    }
    text
}
