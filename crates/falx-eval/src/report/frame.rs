//! What stands around the main part of every page of falx.

use falx_core::RESEARCH_USE;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The style sheet of falx's pages: light, dark and print.
const STYLE: &str = include_str!("style.css");

/// The frame of a page: one file that asks nobody for anything, with a way past its head for those who read with the keyboard.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frame<'a> {
    /// The page's title and heading.
    pub title: &'a str,
    /// One line below it.
    pub subtitle: &'a str,
    /// What the main part holds, for who skips to it: `result`.
    pub main_holds: &'a str,
    /// Rules beside those of falx's style sheet.
    pub style: &'a str,
    /// After how many seconds the page loads itself again, while what it shows goes on.
    pub refresh: Option<u32>,
}

impl Frame<'_> {
    /// The page around its main part.
    pub fn around(&self, main: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    @if let Some(seconds) = self.refresh { meta http-equiv="refresh" content=(seconds); }
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) (PreEscaped(self.style)) }
                }
                body {
                    a class="skip" href="#main" { "Skip to the " (self.main_holds) }
                    header class="top" {
                        h1 { (self.title) }
                        p class="subtitle" { (self.subtitle) }
                    }
                    main id="main" tabindex="-1" { (main) }
                    footer { p { (RESEARCH_USE) " Made by falx " (env!("CARGO_PKG_VERSION")) "." } }
                }
            }
        }
    }
}
