//! What became of the weights, in words.

use std::fmt::Write as _;

use super::{How, Mapping};

/// Names shown of each list; `--json` has all.
const SHOWN: usize = 8;

impl Mapping {
    /// The mapping in words: counts first, then what did not fit and why.
    pub fn to_text(&self) -> String {
        let total = self.matched.len() + self.missing.len() + self.misfit.len() + self.left.len();
        let mut text = format!(
            "{} of {total} parameters of {} come from the file ({})",
            self.matched.len(),
            self.network,
            self.format
        );
        let count = |how: fn(&How) -> bool| self.matched.iter().filter(|m| how(&m.how)).count();
        let renamed = count(|how| *how == How::Renamed);
        if renamed > 0 {
            let example = self.matched.iter().find(|m| m.how == How::Renamed);
            let example = example.map(|m| format!(" ({} → {})", m.source, m.name));
            let _ = write!(
                text,
                "\n{renamed} under another name{}",
                example.unwrap_or_default()
            );
        }
        let ordered = count(|how| *how == How::Order);
        if ordered > 0 {
            let _ = write!(text, "\n{ordered} by their order");
        }
        for found in &self.matched {
            if let How::Channels { from, to } = found.how {
                let _ = write!(
                    text,
                    "\n{}: adapted from {from} to {to} channels",
                    found.name
                );
            }
        }
        list(
            &mut text,
            "left as they start, on purpose",
            self.left.iter().cloned(),
        );
        let misfit = self.misfit.iter().map(|misfit| {
            format!(
                "{}: {:?}, the file's {} is {:?}",
                misfit.name, misfit.expected, misfit.source, misfit.found
            )
        });
        list(&mut text, "left as they start: another shape", misfit);
        let single = |single: &super::Single| format!("{}: {}", single.name, single.reason);
        list(
            &mut text,
            "left as they start",
            self.missing.iter().map(single),
        );
        list(
            &mut text,
            "of the file not used",
            self.unexpected.iter().map(single),
        );
        text
    }
}

fn list(text: &mut String, title: &str, items: impl ExactSizeIterator<Item = String>) {
    let count = items.len();
    if count == 0 {
        return;
    }
    let _ = write!(text, "\n{count} {title}:");
    for item in items.take(SHOWN) {
        let _ = write!(text, "\n  {item}");
    }
    if count > SHOWN {
        let _ = write!(text, "\n  … and {} more (--json names all)", count - SHOWN);
    }
}
