//! Red for what must not be overlooked, on a terminal alone.

use std::io::IsTerminal as _;

/// What stands out. The words say it without any colour.
const ALARM: &str = "WORSE THAN NO SKILL";
const RED: &str = "\x1b[1;31m";
const PLAIN: &str = "\x1b[0m";

/// Whether standard output shows colour: it is a terminal, and nobody asked for none.
///
/// # Source
/// <https://no-color.org>: `NO_COLOR` with any value that is not empty.
pub fn is_wanted() -> bool {
    let asked_for_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    !asked_for_none && !is_dumb && std::io::stdout().is_terminal()
}

/// The text with its alarm in red.
pub fn in_red(text: &str) -> String {
    text.replace(ALARM, &format!("{RED}{ALARM}{PLAIN}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alarm_alone_is_red() {
        assert_eq!(
            in_red("WORSE THAN NO SKILL: so."),
            "\x1b[1;31mWORSE THAN NO SKILL\x1b[0m: so."
        );
        assert_eq!(in_red("Better than so."), "Better than so.");
    }
}
