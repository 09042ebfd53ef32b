//! The page's drawings; their colours come from the style sheet.

use falx_eval::text::thousands;
use maud::{Markup, html};

use super::super::{FeatureScore, Histogram};

/// A share of the widest bar.
pub(super) fn share_bar(share: f64) -> Markup {
    let width = format!("{:.1}", (share * 100.0).clamp(0.0, 100.0));
    html! {
        svg class="share" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" {
            rect class="rail" x="0" y="0" width="100" height="6" {}
            rect class="fill" x="0" y="0" width=(width) height="6" {}
        }
    }
}

/// Facts that are drawn.
const FEATURES: usize = 10;

/// Areas under the ROC curve from 0.4 to 1.
pub(super) fn features(scores: &[FeatureScore]) -> Markup {
    let shown = scores.get(..FEATURES).unwrap_or(scores);
    let at = |auc: f64| 170.0 + (auc.clamp(0.4, 1.0) - 0.4) / 0.6 * 380.0;
    let bottom = 22.0 * shown.len() as f64 + 6.0;
    let y = |i: usize| 22.0 * i as f64 + 14.0;
    html! {
        svg viewBox=(format!("0 0 610 {}", bottom + 24.0)) role="img" aria-label="AUC of each fact alone" {
            @for tick in [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0] {
                line class=(if tick == 0.5 { "chance" } else { "grid" }) x1=(px(at(tick))) x2=(px(at(tick))) y1="2" y2=(px(bottom)) {}
                text class="tick" text-anchor="middle" x=(px(at(tick))) y=(px(bottom + 16.0)) { (format!("{tick:.1}")) }
            }
            @for (i, score) in shown.iter().enumerate() {
                text class="row" text-anchor="end" x="160" y=(px(y(i) + 4.0)) { (score.name.replace('_', " ")) }
                g class=(if score.is_position { "base" } else { "mark" }) {
                    line class="bar" x1=(px(at(0.5))) x2=(px(at(score.auc))) y1=(px(y(i))) y2=(px(y(i))) {}
                    circle class="dot" cx=(px(at(score.auc))) cy=(px(y(i))) r="4.5" {}
                }
                text class="tick" x="562" y=(px(y(i) + 4.0)) { (format!("{:.3}", score.auc)) }
            }
        }
    }
}

/// Slices by bin, as far as bins hold any.
pub(super) fn histogram(histogram: &Histogram) -> Markup {
    let known: u64 = histogram.slices.iter().sum();
    let name = match histogram.quantity.as_str() {
        "spacing_mm" => "Distance between slices in mm",
        "thickness_mm" => "Slice thickness in mm",
        "pixel_mm" => "Size of a pixel in mm",
        other => other,
    };
    let top = histogram.slices.iter().copied().max().unwrap_or(0).max(1);
    let bins = histogram.slices.len();
    let step = 280.0 / bins.max(1) as f64;
    let last = bins.saturating_sub(1);
    let label = |i: usize| {
        let value = format!("{}", (i as f64 * histogram.bin_mm * 100.0).round() / 100.0);
        if i == last {
            format!("≥ {value}")
        } else {
            value
        }
    };
    let every = (last / 4).max(1);
    html! {
        figure class="chart" {
            figcaption {
                strong { (name) }
                span class="quiet" { (thousands(known)) " slices" @if histogram.unknown > 0 { "; " (thousands(histogram.unknown)) " unknown" } }
            }
            @if known > 0 {
                svg viewBox="0 0 304 126" role="img" aria-label=(format!("{name}: histogram over {known} slices")) {
                    @for (i, &slices) in histogram.slices.iter().enumerate() {
                        @if slices > 0 {
                            // The smallest bar is still seen.
                            @let height = (92.0 * slices as f64 / top as f64).max(1.5);
                            rect class="fill" x=(px(10.0 + step * i as f64 + 1.0)) y=(px(104.0 - height)) width=(px(step - 2.0)) height=(px(height)) {
                                title { (label(i)) ": " (thousands(slices)) }
                            }
                        }
                        @if i % every == 0 {
                            text class="tick" text-anchor="middle" x=(px(10.0 + step * (i as f64 + 0.5))) y="120" { (label(i)) }
                        }
                    }
                    line class="axis" x1="10" x2="290" y1="104.5" y2="104.5" {}
                    text class="tick" x="10" y="12" { (thousands(top)) }
                }
            } @else {
                p class="none" { "The files do not tell." }
            }
        }
    }
}

fn px(value: f64) -> String {
    format!("{value:.1}")
}
