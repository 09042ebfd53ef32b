//! The table of findings as a picture, for viewers that show no structured reports. It names no patient.

use std::convert::Infallible;

use embedded_graphics::Pixel;
use embedded_graphics::geometry::{OriginDimensions, Point, Size};
use embedded_graphics::mono_font::iso_8859_1::{FONT_8X13, FONT_9X18, FONT_10X20};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::{Rgb888, RgbColor};
use embedded_graphics::prelude::{DrawTarget, Drawable};
use embedded_graphics::primitives::{Primitive, PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Baseline, Text};
use falx_core::{Label, RESEARCH_USE};

use crate::findings::{Finding, Presence, RgbPicture};
use crate::study::{Study, VERSION};

const COLS: usize = 960;
const MARGIN: i32 = 32;
const ROW: i32 = 40;
const HEAD: i32 = 112;
const FOOT: i32 = 150;

const PAPER: Rgb888 = Rgb888::new(16, 18, 22);
const INK: Rgb888 = Rgb888::new(235, 235, 235);
const FAINT: Rgb888 = Rgb888::new(150, 155, 165);
const RULE: Rgb888 = Rgb888::new(70, 75, 85);
/// Told apart by people who see no red or no green too.
const PRESENT: Rgb888 = Rgb888::new(240, 140, 40);
const ABSENT: Rgb888 = Rgb888::new(90, 150, 220);

/// Where the columns of the table begin.
const LABEL: i32 = MARGIN;
const PROBABILITY: i32 = 300;
const INTERVAL: i32 = 420;
const BAR: i32 = 560;
const BAR_WIDTH: i32 = 110;
const PRESENCE: i32 = 690;
const SLICES: i32 = 790;

/// Draws it.
pub fn summary(study: &Study<'_>) -> RgbPicture {
    let findings = &study.findings.findings;
    let rows = HEAD + ROW * findings.len() as i32 + FOOT;
    let mut sheet = Sheet::new(rows as usize);
    sheet.write(
        LABEL,
        24,
        &FONT_10X20,
        INK,
        "falx: intracranial haemorrhage in this study",
    );
    let written = format!("written {}", study.written_at());
    sheet.write(LABEL, 52, &FONT_9X18, FAINT, &written);
    let any = |is_so: fn(&Finding) -> bool| findings.iter().any(is_so);
    for (left, text, is_there) in [
        (LABEL, "finding", true),
        (PROBABILITY, "probability", true),
        (INTERVAL, "interval", any(|f| f.interval.is_some())),
        (PRESENCE, "called", any(|f| f.presence.is_some())),
        (SLICES, "see images", any(|f| !f.key_slices.is_empty())),
    ] {
        if is_there {
            sheet.write(left, HEAD - 26, &FONT_8X13, FAINT, text);
        }
    }
    sheet.rule(HEAD - 8);
    for (place, finding) in findings.iter().enumerate() {
        let top = HEAD + ROW * place as i32;
        row(study, &mut sheet, top, finding);
    }
    foot(study, &mut sheet, HEAD + ROW * findings.len() as i32);
    sheet.picture
}

fn row(study: &Study<'_>, sheet: &mut Sheet, top: i32, finding: &Finding) {
    let share = finding.probability.get();
    let colour = match finding.presence {
        Some(Presence::Present) => PRESENT,
        Some(Presence::Absent) => ABSENT,
        Some(Presence::Undetermined) | None => FAINT,
    };
    sheet.write(LABEL, top + 6, &FONT_10X20, INK, name(finding.label));
    sheet.write(PROBABILITY, top + 6, &FONT_10X20, INK, &percent(share));
    if let Some([low, high]) = finding.interval {
        let text = format!("{} to {}", percent(low.get()), percent(high.get()));
        sheet.write(INTERVAL, top + 10, &FONT_8X13, FAINT, &text);
    }
    sheet.fill(BAR, top + 10, BAR_WIDTH, 12, RULE);
    let length = (share * f64::from(BAR_WIDTH)).round() as i32;
    sheet.fill(BAR, top + 10, length, 12, colour);
    if let Some(threshold) = finding.threshold {
        let at = BAR + (threshold.get() * f64::from(BAR_WIDTH)).round() as i32;
        sheet.fill(at - 1, top + 6, 2, 20, INK);
    }
    let called = finding.presence.map_or("", Presence::word);
    sheet.write(PRESENCE, top + 8, &FONT_9X18, colour, called);
    sheet.write(SLICES, top + 10, &FONT_8X13, INK, &slices(study, finding));
    sheet.rule(top + ROW - 4);
}

/// The first few slices that speak for it, as the viewer numbers them.
fn slices(study: &Study<'_>, finding: &Finding) -> String {
    let few = finding.key_slices.iter().take(4);
    let names = few.filter_map(|&at| Some(study.slice(at)?.name(at)));
    let mut text = names.collect::<Vec<_>>().join(", ");
    if finding.key_slices.len() > 4 {
        text.push_str(", ...");
    }
    text
}

fn foot(study: &Study<'_>, sheet: &mut Sheet, top: i32) {
    let algorithm = &study.findings.algorithm;
    let hash: String = algorithm.model_hash.chars().take(16).collect();
    let prevalence = study.findings.prevalence;
    let prevalence = prevalence.map(|share| format!(", prevalence {}", percent(share.get())));
    let mut findings = study.findings.findings.iter();
    let mark = if findings.any(|finding| finding.threshold.is_some()) {
        "; the white mark on a bar is the threshold"
    } else {
        ""
    };
    let lines = [
        format!(
            "{}, version {}, model {hash}",
            algorithm.name, algorithm.version
        ),
        format!(
            "{} images looked at{}{mark}",
            study.findings.sources.len(),
            prevalence.unwrap_or_default()
        ),
        format!("falx {VERSION}"),
    ];
    for (line, text) in lines.iter().enumerate() {
        sheet.write(LABEL, top + 18 + 22 * line as i32, &FONT_8X13, FAINT, text);
    }
    sheet.write(LABEL, top + FOOT - 50, &FONT_10X20, INK, RESEARCH_USE);
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// A label as the page says it.
const fn name(label: Label) -> &'static str {
    match label {
        Label::Epidural => "Epidural",
        Label::Intraparenchymal => "Intraparenchymal",
        Label::Intraventricular => "Intraventricular",
        Label::Subarachnoid => "Subarachnoid",
        Label::Subdural => "Subdural",
        Label::Any => "Any haemorrhage",
    }
}

struct Sheet {
    picture: RgbPicture,
}

impl Sheet {
    fn new(rows: usize) -> Self {
        let paper = [PAPER.r(), PAPER.g(), PAPER.b()];
        let picture = RgbPicture {
            rows,
            cols: COLS,
            pixels: paper.repeat(rows * COLS),
        };
        Self { picture }
    }

    /// Writes as much of `text` as fits before the margin.
    fn write(&mut self, left: i32, top: i32, font: &MonoFont<'_>, colour: Rgb888, text: &str) {
        let room = (COLS as i32 - MARGIN - left).max(0) as usize;
        let fits = room / font.character_size.width as usize;
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        let text: String = text.chars().map(plain).take(fits).collect();
        let style = MonoTextStyle::new(font, colour);
        let at = Point::new(left, top);
        let (Ok(_) | Err(_)) = Text::with_baseline(&text, at, style, Baseline::Top).draw(self);
    }

    fn fill(&mut self, left: i32, top: i32, width: i32, height: i32, colour: Rgb888) {
        let size = Size::new(width.max(0) as u32, height.max(0) as u32);
        let area = Rectangle::new(Point::new(left, top), size);
        let (Ok(()) | Err(_)) = area
            .into_styled(PrimitiveStyle::with_fill(colour))
            .draw(self);
    }

    fn rule(&mut self, top: i32) {
        self.fill(MARGIN, top, COLS as i32 - 2 * MARGIN, 1, RULE);
    }
}

impl OriginDimensions for Sheet {
    fn size(&self) -> Size {
        Size::new(self.picture.cols as u32, self.picture.rows as u32)
    }
}

impl DrawTarget for Sheet {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Rgb888>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        for Pixel(at, colour) in pixels {
            let (Ok(x), Ok(y)) = (usize::try_from(at.x), usize::try_from(at.y)) else {
                continue;
            };
            let start = 3 * (y * COLS + x);
            if x < COLS
                && let Some(pixel) = self.picture.pixels.get_mut(start..start + 3)
            {
                pixel.copy_from_slice(&[colour.r(), colour.g(), colour.b()]);
            }
        }
        Ok(())
    }
}
