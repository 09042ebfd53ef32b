//! What a command gives back, and how it is printed: text for people, or exactly one JSON document.

use std::io::Write;

use serde::Serialize;
use serde_json::Value;

use crate::emphasis;
use crate::exit::Exit;

/// The result of a command.
pub struct Outcome {
    text: String,
    json: Value,
    exit: Exit,
}

impl Outcome {
    /// A result that went well.
    ///
    /// # Errors
    /// When the value has no JSON form, which is a bug.
    pub fn done(text: impl Into<String>, value: &impl Serialize) -> anyhow::Result<Self> {
        Ok(Self {
            text: text.into(),
            json: serde_json::to_value(value)?,
            exit: Exit::Done,
        })
    }

    /// A result that has already been told.
    pub const fn silent() -> Self {
        Self {
            text: String::new(),
            json: Value::Null,
            exit: Exit::Done,
        }
    }

    /// The same result with exit code 1 when `fine` is false.
    #[must_use]
    pub fn fine_if(mut self, fine: bool) -> Self {
        if !fine {
            self.exit = Exit::NotFine;
        }
        self
    }
}

/// Prints a command's result, or its failure, and gives the exit code.
///
/// Work that was `interrupted` may have done a part: its failure is no unusable input.
pub fn print(result: anyhow::Result<Outcome>, as_json: bool, interrupted: bool) -> Exit {
    match result {
        Ok(outcome) => {
            let printed = if as_json {
                write_out(&format!("{:#}\n", outcome.json))
            } else {
                let text = outcome.text.trim_end();
                if text.is_empty() {
                    true
                } else if emphasis::is_wanted() {
                    write_out(&format!("{}\n", emphasis::in_red(text)))
                } else {
                    write_out(&format!("{text}\n"))
                }
            };
            if printed { outcome.exit } else { Exit::NotFine }
        }
        Err(error) => {
            let message = chain(&error);
            let exit = if interrupted {
                Exit::NotFine
            } else {
                Exit::Unusable
            };
            eprintln!("error: {message}");
            if as_json {
                let document = serde_json::json!({
                    "error": { "message": message, "exit_code": exit.code() }
                });
                write_out(&format!("{document:#}\n"));
            }
            exit
        }
    }
}

/// The error and its causes in one line, each said once: many libraries repeat the cause in their own message.
fn chain(error: &anyhow::Error) -> String {
    let mut message = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if !message.contains(&cause) {
            if !message.is_empty() {
                message.push_str(": ");
            }
            message.push_str(&cause);
        }
    }
    message
}

/// False when standard output is closed (`falx … | head`), which is no reason to panic.
fn write_out(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .is_ok()
}
