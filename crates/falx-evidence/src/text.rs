//! Text as DICOM's value representations and a study's character set take it.

/// The characters that an object of a study can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repertoire {
    /// ASCII, which every character set of DICOM begins with.
    Ascii,
    /// The first 256 of Unicode (`ISO_IR 100`).
    Latin1,
    /// All of Unicode (`ISO_IR 192`, `GB18030`).
    Unicode,
}

impl Repertoire {
    /// Of a Specific Character Set, by its value as the file has it.
    ///
    /// Sets with code extensions (`\ISO 2022 IR 87`) count as ASCII: text of our own never switches between them.
    pub fn of(character_set: &str) -> Self {
        match character_set {
            "ISO_IR 192" | "GB18030" => Self::Unicode,
            "ISO_IR 100" => Self::Latin1,
            _ => Self::Ascii,
        }
    }

    fn holds(self, character: char) -> bool {
        match self {
            Self::Ascii => character.is_ascii(),
            Self::Latin1 => u32::from(character) < 0x100,
            Self::Unicode => true,
        }
    }

    fn fit(self, character: char) -> char {
        if self.holds(character) {
            character
        } else {
            '?'
        }
    }

    /// A line of at most `most` characters (LO has 64, SH 16): without control characters and backslashes, which part values.
    pub fn line(self, text: &str, most: usize) -> String {
        let plain = |c: char| {
            if c.is_control() || c == '\\' {
                ' '
            } else {
                self.fit(c)
            }
        };
        let line: String = text.chars().map(plain).collect();
        let line: String = line.trim().chars().take(most).collect();
        line.trim_end().to_owned()
    }

    /// A text of any length (UT): lines end as DICOM wants it, other control characters are left out.
    pub fn paragraph(self, text: &str) -> String {
        let mut paragraph = String::with_capacity(text.len());
        for character in text.trim().chars() {
            match character {
                '\n' => paragraph.push_str("\r\n"),
                control if control.is_control() => {}
                other => paragraph.push(self.fit(other)),
            }
        }
        paragraph.trim().to_owned()
    }
}

/// A finite number in at most 16 characters (DS), as exact as they allow.
pub fn decimal(number: f64) -> String {
    const MOST: usize = 16;
    let plain = number.to_string();
    if plain.len() <= MOST {
        return plain;
    }
    let fits = |text: &String| text.len() <= MOST;
    let digits = (0..=14).rev();
    let found = if (1e-3..1e14).contains(&number.abs()) {
        let mut fixed = digits.map(|digits| format!("{number:.digits$}"));
        let found = fixed.find(fits);
        found.map(|text| match text.split_once('.') {
            Some(_) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            None => text,
        })
    } else {
        digits
            .map(|digits| format!("{number:.digits$e}"))
            .find(fits)
    };
    found.unwrap_or_default()
}

/// Several of them.
pub fn decimals(numbers: &[f64]) -> String {
    let texts: Vec<String> = numbers.iter().map(|&number| decimal(number)).collect();
    texts.join("\\")
}

#[cfg(test)]
mod tests;
