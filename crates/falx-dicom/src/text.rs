//! Text values: trimming, splitting, and numbers written as text.

/// A text value without its padding: spaces on both sides, NULs at the end.
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let end = value
        .iter()
        .rposition(|&byte| byte != 0 && byte != b' ')
        .map_or(0, |last| last + 1);
    let value = value.get(..end).unwrap_or_default();
    let start = value.iter().position(|&byte| byte != b' ').unwrap_or(end);
    value.get(start..).unwrap_or_default()
}

/// A trimmed value as text, `None` where nothing is left.
///
/// Bytes that are no UTF-8 become one character each, so that two different values never become one.
pub(crate) fn to_text(value: &[u8]) -> Option<String> {
    let value = trim(value);
    match str::from_utf8(value) {
        Ok("") => None,
        Ok(text) => Some(text.to_owned()),
        Err(_) => Some(value.iter().copied().map(char::from).collect()),
    }
}

/// A finite decimal string (VR DS) such as `-1024`, `.5` or `1.0E+3`; `None` for everything else.
pub(crate) fn decimal(value: &[u8]) -> Option<f64> {
    let value = trim(value);
    // The characters of a DS; this keeps out `nan`, `inf` and all else that a float's parser knows.
    let of_ds = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
    if !value.iter().all(of_ds) {
        return None;
    }
    let number: f64 = str::from_utf8(value).ok()?.parse().ok()?;
    number.is_finite().then_some(number)
}

/// An integer string (VR IS); `None` for everything that is no whole number.
pub(crate) fn integer(value: &[u8]) -> Option<i64> {
    str::from_utf8(trim(value)).ok()?.parse().ok()
}

/// The values of a multi-valued text attribute; one empty value where there is nothing.
pub(crate) fn split(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b'\\')
}

/// Exactly `N` decimal strings.
pub(crate) fn decimals<const N: usize>(value: &[u8]) -> Option<[f64; N]> {
    let numbers: Option<Vec<f64>> = split(value).take(N + 1).map(decimal).collect();
    numbers?.try_into().ok()
}

#[cfg(test)]
mod tests;
