//! What a file holds as people read it.

use std::fmt::Write;

use super::{FrameInspection, HuStatistics, Inspection};
use crate::Defect;

impl Inspection {
    /// A few lines; frames beyond the `most`th are counted only.
    pub fn to_text(&self, most: usize) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            let _ = writeln!(text, "  {name:<10}{value}");
        };
        let encoding = format!("{} ({})", self.transfer_syntax_name, self.transfer_syntax);
        line("encoding", encoding);
        let scanner: Vec<&str> = [&self.manufacturer, &self.model]
            .into_iter()
            .filter_map(Option::as_deref)
            .collect();
        if !scanner.is_empty() {
            line("scanner", scanner.join(" "));
        }
        for frame in self.frames.iter().take(most) {
            if let Some(number) = frame.frame_number {
                line("frame", number.to_string());
            }
            frame.lines(&mut line);
        }
        if self.frames.len() > most {
            line("frames", format!("{} more", self.frames.len() - most));
        }
        for defect in &self.defects {
            line(
                "defect",
                format!("{defect}: {}", Defect::describe(*defect).trim()),
            );
        }
        text
    }
}

impl FrameInspection {
    fn lines(&self, line: &mut impl FnMut(&str, String)) {
        let format = &self.format;
        let sign = if format.signed { "signed" } else { "unsigned" };
        line(
            "image",
            format!(
                "{} x {} pixels, {} of {} bits, {sign}; HU = {} x stored {} {}",
                self.rows,
                self.cols,
                format.bits_stored,
                format.bits_allocated,
                format.rescale_slope,
                if format.rescale_intercept < 0.0 {
                    '-'
                } else {
                    '+'
                },
                format.rescale_intercept.abs()
            ),
        );
        if !self.image_type.is_empty() {
            line("type", self.image_type.join(" "));
        }
        let place: Vec<String> = [
            self.position_mm.map(|z| format!("z {:.2} mm", z.0)),
            self.tilt_deg.map(|tilt| format!("tilt {tilt:.1} degrees")),
            self.pixel_spacing
                .map(|[down, across]| format!("pixels {down:.4} x {across:.4} mm")),
            self.slice_thickness
                .map(|mm| format!("slices {mm} mm thick")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !place.is_empty() {
            line("place", place.join(", "));
        }
        let kernel = self
            .convolution_kernel
            .as_ref()
            .map(|kernel| format!("kernel {kernel}"));
        let tube = self.kvp.map(|kv| format!("{kv} kV"));
        let scan: Vec<String> = [kernel, tube].into_iter().flatten().collect();
        if !scan.is_empty() {
            line("scan", scan.join(", "));
        }
        let window = |w: &crate::voi::VoiWindow| format!("{}/{}", w.center(), w.width());
        let mut windows: Vec<String> = self.windows.iter().map(window).collect();
        if self.voi_luts > 0 {
            windows.push(format!("{} VOI LUTs", self.voi_luts));
        }
        if !windows.is_empty() {
            line("windows", windows.join(", "));
        }
        line("HU", self.hu.to_text());
    }
}

impl HuStatistics {
    fn to_text(&self) -> String {
        let padding = format!("padding {:.1} %", 100.0 * self.padding_share);
        let all = [
            self.min,
            self.percentile_1,
            self.median,
            self.percentile_99,
            self.max,
        ];
        match (all, self.mean) {
            ([Some(min), Some(low), Some(median), Some(high), Some(max)], Some(mean)) => format!(
                "{} to {} (1 % {}, median {}, 99 % {}), mean {mean:.1}; {padding}",
                min.0, max.0, low.0, median.0, high.0
            ),
            _ => padding,
        }
    }
}
