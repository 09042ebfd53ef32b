//! Example slices.

use maud::html;

use super::super::{Picture, data_uri};
use super::Section;

pub(super) fn section(pictures: &[Picture]) -> Option<Section> {
    let mut groups: Vec<(&str, Vec<&Picture>)> = Vec::new();
    for picture in pictures {
        match groups.iter_mut().find(|(name, _)| *name == picture.group) {
            Some((_, group)) => group.push(picture),
            None => groups.push((&picture.group, vec![picture])),
        }
    }
    let body = html! {
        @for (name, group) in &groups {
            @if !name.is_empty() { h3 { (name) } }
            div class="pictures" {
                @for picture in group {
                    figure {
                        img src=(data_uri::png(&picture.png)) alt=(format!("Head CT slice: {}", picture.caption));
                        figcaption { (picture.caption) }
                    }
                }
            }
        }
    };
    (!groups.is_empty()).then_some(Section {
        id: "slices",
        title: "Slices",
        body,
    })
}
